import { describe, expect, it } from 'vitest';
import { assumedRoleArn, assumedRoleId, isAwsSessionName, parseAwsRoleArn } from './aws-arn.ts';

const ACCOUNT = '000000000042';

describe('the ARN of a role', () => {
  it.each([
    [`arn:aws:iam::${ACCOUNT}:role/publish-web`, 'publish-web'],
    [`arn:aws:iam::${ACCOUNT}:role/ci/web/publish-web`, 'publish-web'],
    [`arn:aws:iam::${ACCOUNT}:role/ci:x/a+=,.@-_`, 'a+=,.@-_'],
  ])('%s names an account and a role', (arn, name) => {
    expect(parseAwsRoleArn(arn)).toEqual({ account: ACCOUNT, name });
  });

  it.each([
    '',
    'arn:aws:iam::42:role/publish-web',
    `arn:aws:iam::${ACCOUNT}:role/`,
    `arn:aws:iam::${ACCOUNT}:role/a b`,
    `arn:aws:iam::${ACCOUNT}:role//publish-web`,
    `arn:aws:iam::${ACCOUNT}:role/publish-web/`,
    `arn:aws:iam::${ACCOUNT}:user/publish-web`,
    `arn:aws:sts::${ACCOUNT}:assumed-role/publish-web/job-1`,
    `arn:aws-cn:iam::${ACCOUNT}:role/publish-web`,
    `ARN:aws:iam::${ACCOUNT}:role/publish-web`,
    `arn:aws:iam::${ACCOUNT}:role/publish-web\n`,
    `arn:aws:iam::${ACCOUNT}:role/${'a'.repeat(65)}`,
    `arn:aws:iam::${ACCOUNT}:role/${'a/'.repeat(1020)}b`,
    `arn:aws:iam::${ACCOUNT}:role/é`,
  ])('%j is none', (arn) => {
    expect(parseAwsRoleArn(arn)).toBeUndefined();
  });

  it('becomes that of the session without its path', () => {
    expect(assumedRoleArn(`arn:aws:iam::${ACCOUNT}:role/ci/publish-web`, 'job-1')).toBe(
      `arn:aws:sts::${ACCOUNT}:assumed-role/publish-web/job-1`,
    );
    expect(() => assumedRoleArn('publish-web', 'job-1')).toThrow(TypeError);
  });

  it('gives one id for one role, of 21 characters', () => {
    const id = assumedRoleId(`arn:aws:iam::${ACCOUNT}:role/publish-web`, 'job-1');
    expect(id).toMatch(/^AROA[A-Z2-7]{17}:job-1$/);
    expect(assumedRoleId(`arn:aws:iam::${ACCOUNT}:role/publish-web`, 'job-2').slice(0, 21)).toBe(id.slice(0, 21));
    expect(assumedRoleId(`arn:aws:iam::${ACCOUNT}:role/publish-wed`, 'job-1')).not.toBe(id);
  });
});

it.each(['a', 'a b/c', 'a'.repeat(65), 'job:1', 'jöb', 'job-1\n'])('%j is no session name', (name) => {
  expect(isAwsSessionName(name)).toBe(false);
});

it.each(['ab', 'GitHubActions', 'aws-sdk-js-session-1795402800000', 'a+=,.@-_'])('%s is a session name', (name) => {
  expect(isAwsSessionName(name)).toBe(true);
});
