// AWS's own clients against POST /: what they get, what they make of refusals, and how often they ask.
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { fromTokenFile, fromWebToken } from '@aws-sdk/credential-providers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { requireClient, requirePythonModule } from '../clients.ts';
import { DEPLOY_ARN, deployPolicies } from '../fakes/aws-role.ts';
import { noAnswer } from '../fakes/fake-job-issuer.ts';
import { type ServedSts, serveSts } from '../fakes/served-sts.ts';
import { AwsHome } from './aws-clients.ts';
import { type ClientRun, runClient } from './client-processes.ts';

const aws = requireClient('aws');
const python = requirePythonModule('boto3');

const SESSION_ARN = 'arn:aws:sts::000000000042:assumed-role/deploy/job-1';

let sts: ServedSts;
let home: AwsHome;

beforeAll(async () => {
  sts = await serveSts({ policies: deployPolicies() });
});
afterAll(() => sts.close());

beforeEach(() => {
  sts.calls.length = 0;
  home = new AwsHome();
});
afterEach(() => home.close());

const idToken = (changes: Parameters<typeof sts.world.issuer.idToken>[0] = {}) => sts.world.issuer.idToken(changes);

/** A token that the role's condition refuses. */
const otherRef = () => idToken({ ref: 'refs/heads/dev' });
/** A token whose signature is another's. */
const forged = async () => `${(await idToken()).slice(0, -8)}AAAAAAAA`;
const expired = () => {
  const now = sts.world.clock.nowSeconds();
  return idToken({ iat: now - 900, nbf: now - 900, exp: now - 300 });
};

describe.skipIf(aws === undefined)('aws, the command line', () => {
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<ClientRun> =>
    runClient(aws ?? '', ['--output', 'json', 'sts', ...args], home.environment(sts.url, more));
  const assume = (token: string, ...more: string[]): Promise<ClientRun> => {
    const file = `file://${home.write('token', `${token}\n`)}`;
    const role = ['--role-arn', DEPLOY_ARN, '--role-session-name', 'job-1', '--web-identity-token', file];
    return run(['assume-role-with-web-identity', ...role, ...more]);
  };

  test('assumes a role, and is then who it assumed', async () => {
    const assumed = await assume(await idToken(), '--duration-seconds', '900');
    expect(assumed).toMatchObject({ status: 0, stderr: '' });
    const { AssumedRoleUser, Credentials, ...others } = JSON.parse(assumed.stdout);
    expect(AssumedRoleUser).toMatchObject({ Arn: SESSION_ARN });
    expect(Credentials.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(Date.parse(Credentials.Expiration) / 1000).toBe(sts.world.clock.nowSeconds() + 900);
    expect(others).toEqual({
      Audience: 'https://sts.example.com',
      Provider: 'arn:aws:iam::000000000042:oidc-provider/ci.example.com',
      SubjectFromWebIdentityToken: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
    });
    const who = await run(['get-caller-identity'], {
      AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
      AWS_SESSION_TOKEN: Credentials.SessionToken,
    });
    expect(who).toMatchObject({ status: 0, stderr: '' });
    const account = { Account: '000000000042', Arn: SESSION_ARN, UserId: AssumedRoleUser.AssumedRoleId };
    expect(JSON.parse(who.stdout)).toEqual(account);
    expect(sts.calls).toEqual(['AssumeRoleWithWebIdentity 200', 'GetCallerIdentity 200']);
  });

  test('finds its own way from a token file to who it is', async () => {
    const who = await run(['get-caller-identity'], {
      AWS_ROLE_ARN: DEPLOY_ARN,
      AWS_ROLE_SESSION_NAME: 'job-1',
      AWS_WEB_IDENTITY_TOKEN_FILE: home.write('token', `${await idToken()}\n`),
    });
    expect(JSON.parse(who.stdout)).toMatchObject({ Arn: SESSION_ARN });
  });

  test('is told the size of a session policy', async () => {
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::web/*' }],
    });
    const assumed = await assume(await idToken(), '--policy', policy);
    expect(JSON.parse(assumed.stdout).PackedPolicySize).toBeGreaterThan(0);
  });

  test.each<[string, () => Promise<string>, readonly string[], string]>([
    ['a failed condition', otherRef, [], 'AccessDenied'],
    ['a forged token', forged, [], 'InvalidIdentityToken'],
    ['an expired token', expired, [], 'ExpiredTokenException'],
    ['an unknown role', idToken, ['--role-arn', 'arn:aws:iam::000000000042:role/nobody'], 'AccessDenied'],
    ['a bad session name', idToken, ['--role-session-name', 'a b/c'], 'ValidationError'],
    ['a long duration', idToken, ['--duration-seconds', '99999'], 'ValidationError'],
    ['a broken policy', idToken, ['--policy', '{"Statement":'], 'MalformedPolicyDocument'],
    [
      'an unknown named policy',
      idToken,
      ['--policy-arns', 'arn=arn:aws:iam::aws:policy/Any'],
      'MalformedPolicyDocument',
    ],
    ['a provider of another kind', idToken, ['--provider-id', 'www.amazon.com'], 'ValidationError'],
  ])('hears of %s at the first attempt', async (_what, token, more, code) => {
    const refused = await assume(await token(), ...more);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain(
      `An error occurred (${code}) when calling the AssumeRoleWithWebIdentity operation`,
    );
    expect(sts.calls).toHaveLength(1);
  });

  test('is given the id under which the operator finds the reason', async () => {
    const refused = await assume(await otherRef());
    const [, id] = /jobpass decisions show (D[0-9A-Z]+)/.exec(refused.stderr) ?? [];
    const { json } = await sts.world.call(`GET /admin/v1/decisions/${id}`, { as: 'root' });
    expect(json).toMatchObject({ decision: { reason: 'no_rule_matched', wire: 'aws' } });
  });
});

describe.skipIf(python === undefined)('boto3', () => {
  const call = (code: string, more: Readonly<Record<string, string>> = {}): Promise<ClientRun> => {
    const script = [
      'import boto3, json, os, botocore',
      'try:',
      ...code.split('\n').map((line) => `  ${line}`),
      'except botocore.exceptions.ClientError as error:',
      '  print(json.dumps([error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["ResponseMetadata"]["RequestId"]]))',
    ];
    return runClient(python ?? '', ['-c', script.join('\n')], home.environment(sts.url, more));
  };
  const web = async (token: string) => ({
    AWS_ROLE_ARN: DEPLOY_ARN,
    AWS_ROLE_SESSION_NAME: 'job-1',
    AWS_WEB_IDENTITY_TOKEN_FILE: home.write('token', token),
  });
  const WHO = 'print(json.dumps(boto3.client("sts").get_caller_identity()["Arn"]))';

  test('finds its own way from a token file to who it is', async () => {
    const who = await call(WHO, await web(await idToken()));
    expect(who).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(who.stdout)).toBe(SESSION_ARN);
  });

  test('reads code, status and request id of a refusal, and asks once', async () => {
    const refused = await call(WHO, await web(await otherRef()));
    expect(JSON.parse(refused.stdout)).toEqual(['AccessDenied', 403, expect.stringMatching(/^D[0-9A-Z]{12}$/)]);
    expect(sts.calls).toEqual(['AssumeRoleWithWebIdentity 403']);
  });

  test.each([
    ['no credentials of ours', {}, 'InvalidClientTokenId'],
    ['a token that is none', { AWS_SESSION_TOKEN: 'a.b.c' }, 'InvalidClientTokenId'],
  ])('with %s is nobody', async (_what, more, code) => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) };
    const refused = await call(WHO, { ...keys, ...more });
    expect(JSON.parse(refused.stdout).slice(0, 2)).toEqual([code, 403]);
    expect(sts.calls).toEqual(['GetCallerIdentity 403']);
  });

  test('hears in its own form that a body is beyond every bound', async () => {
    const refused = await call(WHO, await web('a'.repeat(140_000)));
    expect(JSON.parse(refused.stdout).slice(0, 2)).toEqual(['MalformedInput', 413]);
    expect(sts.calls).toEqual([]);
  });

  test('hears of a wrong secret', async () => {
    const assume = `
c = boto3.client("sts", aws_access_key_id="x", aws_secret_access_key="x").assume_role_with_web_identity(RoleArn=os.environ["AWS_ROLE_ARN"], RoleSessionName="job-1", WebIdentityToken=open(os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]).read())["Credentials"]
boto3.client("sts", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"] + "x", aws_session_token=c["SessionToken"]).get_caller_identity()`;
    const refused = await call(assume.trim(), await web(await idToken()));
    expect(refused.stderr).toBe('');
    expect(JSON.parse(refused.stdout).slice(0, 2)).toEqual(['SignatureDoesNotMatch', 403]);
  });
});

describe('the JavaScript SDK', () => {
  beforeEach(() => {
    vi.unstubAllEnvs();
    for (const [name, value] of Object.entries(home.environment(sts.url))) vi.stubEnv(name, value);
  });
  afterEach(() => vi.unstubAllEnvs());

  const settings = () => ({ endpoint: sts.url, region: 'eu-central-1' });
  const asked = async (token: string, more: object = {}) =>
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: DEPLOY_ARN,
      RoleSessionName: 'job-1',
      WebIdentityToken: token,
      ...more,
    });
  const refusalOf = async (sent: Promise<unknown>) => {
    const error = await sent.then(
      () => expect.unreachable('was granted'),
      (thrown: { name: string; $metadata?: { attempts?: number; requestId?: string; httpStatusCode?: number } }) =>
        thrown,
    );
    return { name: error.name, ...error.$metadata };
  };

  test('assumes a role from a token file and from a token, and is then who it assumed', async () => {
    const token = await idToken();
    const file = home.write('token', `${token}\n`);
    const common = { roleArn: DEPLOY_ARN, roleSessionName: 'job-1', clientConfig: settings() };
    for (const credentials of [
      fromTokenFile({ ...common, webIdentityTokenFile: file }),
      fromWebToken({ ...common, webIdentityToken: token }),
    ]) {
      const client = new STSClient({ ...settings(), credentials });
      expect(await client.send(new GetCallerIdentityCommand())).toMatchObject({ Arn: SESSION_ARN });
      client.destroy();
    }
  });

  test('reads every member of the answer', async () => {
    const answer = await new STSClient(settings()).send(await asked(await idToken(), { DurationSeconds: 1200 }));
    expect(answer.Credentials?.Expiration).toEqual(new Date((sts.world.clock.nowSeconds() + 1200) * 1000));
    expect(answer.$metadata.requestId).toMatch(/^D/);
    expect(answer).toMatchObject({
      AssumedRoleUser: { Arn: SESSION_ARN },
      Provider: 'arn:aws:iam::000000000042:oidc-provider/ci.example.com',
    });
  });

  test.each<[string, () => Promise<string>, object, string, number]>([
    ['a failed condition', otherRef, {}, 'AccessDenied', 403],
    ['a forged token', forged, {}, 'InvalidIdentityTokenException', 400],
    ['an expired token', expired, {}, 'ExpiredTokenException', 400],
    ['nonsense', idToken, { RoleSessionName: 'a b/c', DurationSeconds: 99_999 }, 'ValidationError', 400],
    ['a broken policy', idToken, { Policy: '{' }, 'MalformedPolicyDocumentException', 400],
  ])('stops at once for %s', async (_what, token, more, name, httpStatusCode) => {
    const refused = await refusalOf(new STSClient(settings()).send(await asked(await token(), more)));
    expect(refused).toMatchObject({ name, httpStatusCode, attempts: 1, requestId: expect.stringMatching(/^D/) });
    expect(sts.calls).toHaveLength(1);
  });

  test('asks again while the issuer’s keys cannot be fetched', async () => {
    const lost = await serveSts({
      policies: deployPolicies(),
      before: (world) => world.issuer.handlers.set('/.well-known/openid-configuration', () => noAnswer()),
    });
    const client = new STSClient({ ...settings(), endpoint: lost.url });
    const refused = await refusalOf(client.send(await asked(await lost.world.issuer.idToken())));
    expect(refused).toMatchObject({ name: 'IDPCommunicationErrorException', attempts: 3 });
    await lost.close();
  });

  test('gets no credentials for credentials', async () => {
    const credentials = { accessKeyId: 'ASIAEXAMPLEEXAMPLE22', secretAccessKey: 'x', sessionToken: 'a.b.c' };
    const client = new STSClient({ ...settings(), credentials });
    const role = { RoleArn: DEPLOY_ARN, RoleSessionName: 'job-1' };
    for (const command of [client.send(new AssumeRoleCommand(role)), client.send(new GetSessionTokenCommand())]) {
      expect(await refusalOf(command)).toMatchObject({ name: 'AccessDenied', httpStatusCode: 403, attempts: 1 });
    }
  });

  test('hears that its session is over', async () => {
    const ending = await serveSts({ policies: deployPolicies() });
    const client = new STSClient({
      endpoint: ending.url,
      region: 'eu-central-1',
      credentials: fromWebToken({
        roleArn: DEPLOY_ARN,
        webIdentityToken: await ending.world.issuer.idToken(),
        clientConfig: { endpoint: ending.url, region: 'eu-central-1' },
      }),
    });
    await client.send(new GetCallerIdentityCommand());
    const now = ending.world.clock.nowSeconds();
    const { issuer } = ending.world.issuer;
    await ending.world.store.buryJobs([{ issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
    const refused = await refusalOf(client.send(new GetCallerIdentityCommand()));
    expect(refused).toMatchObject({ name: 'ExpiredToken', httpStatusCode: 403, attempts: 1 });
    await ending.close();
  });
});
