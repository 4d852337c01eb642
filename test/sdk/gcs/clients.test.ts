// Google Cloud's storage clients at the three servers.
import { describe } from 'vitest';
import { gcloudCases } from './gcloud.ts';
import { javascriptCases } from './javascript.ts';
import { gcsSetting } from './setting.ts';
import { terraformCases } from './terraform.ts';

describe('over http', () => {
  const setting = gcsSetting();
  describe('@google-cloud/storage', () => javascriptCases(setting));
  describe('terraform', () => terraformCases(setting));
  describe('gcloud storage', () => gcloudCases(setting));
});
