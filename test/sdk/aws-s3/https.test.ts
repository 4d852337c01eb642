// AWS's clients at the three servers over https.
import { describe } from 'vitest';
import { boto3Cases } from './boto3.ts';
import { commandLineCases } from './command-line.ts';
import { javascriptCases } from './javascript.ts';
import { settingOf } from './setting.ts';

describe('over https', () => {
  const setting = settingOf('https');
  describe('aws s3', () => commandLineCases(setting));
  describe('the JavaScript SDK', () => javascriptCases(setting));
  describe('boto3', () => boto3Cases(setting));
});
