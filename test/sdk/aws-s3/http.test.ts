// AWS's clients at the three servers over http.
import { describe } from 'vitest';
import { boto3Cases } from './boto3.ts';
import { commandLineCases } from './command-line.ts';
import { javascriptCases } from './javascript.ts';
import { roleCases, TAGGED_ROLE } from './roles.ts';
import { settingOf } from './setting.ts';

describe('over http', () => {
  const setting = settingOf('http', { tagged: TAGGED_ROLE });
  describe('aws s3', () => commandLineCases(setting));
  describe('the JavaScript SDK', () => javascriptCases(setting));
  describe('roles as AWS writes them', () => roleCases(setting));
  describe('boto3', () => boto3Cases(setting));
});
