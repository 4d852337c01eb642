// A real STS that is not ours, Ceph RGW's, takes the ID tokens of our issuer: nothing of ours is in the data path.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inFreshFolder, jobpass } from '../../cli/jobpass.ts';
import { ForeignIssuer } from '../../fakes/foreign-issuer.ts';
import { assumeRole, type Credentials, credentialsOf, refusalOf, s3Client } from './clients.ts';
import { type CephCluster, type CephUser, findCeph, startCeph } from './cluster.ts';
import { FORGERIES } from './forgeries.ts';
import { createProvider, createRole, providerArn, providerName, replaceProvider } from './iam.ts';

const ceph = findCeph();

const AUDIENCE = 'sts.amazonaws.com';
const SUBJECT = 'owner:acme@42:pipeline:web@7:ref:refs/heads/main';
const BUCKET = 'artifacts';
/** Ceph's tenants stand where AWS has account numbers. */
const ACCOUNT = '111122223333';
const ADMIN_CAPS = 'roles=*;oidc-provider=*;user-policy=*';

const permissionsOn = (resource: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:PutObject', 's3:GetObject'], Resource: [resource] }],
});

describe.skipIf(ceph === undefined)('Ceph RGW', () => {
  let cluster: CephCluster;
  let admin: CephUser;
  let role: string;
  const issuer = new ForeignIssuer();

  const trust = (actions: readonly string[]) => ({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: [providerArn(admin, issuer.url)] },
        Action: actions,
        Condition: {
          StringEquals: {
            [`${providerName(issuer.url)}:sub`]: SUBJECT,
            [`${providerName(issuer.url)}:aud`]: AUDIENCE,
          },
        },
      },
    ],
  });
  const provider = () => ({ issuer: issuer.url, audiences: [AUDIENCE], thumbprints: issuer.thumbprints() });
  const assume = (token: string, more: { readonly Policy?: string } = {}) =>
    assumeRole(cluster.url, { RoleArn: role, RoleSessionName: 'job-1', WebIdentityToken: token, ...more });
  const put = (credentials: Credentials, key: string, bucket = BUCKET) =>
    s3Client(cluster.url, credentials).send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: `this is ${key}` }));
  const get = async (credentials: Credentials, key: string) => {
    const answer = await s3Client(cluster.url, credentials).send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return await answer.Body?.transformToString();
  };

  beforeAll(async () => {
    if (ceph === undefined) return;
    await issuer.start();
    cluster = await startCeph(ceph);
    admin = await cluster.createUser({ name: 'admin', tenant: ACCOUNT, caps: ADMIN_CAPS });
    await createProvider(cluster.url, admin, provider());
    role = await createRole(cluster.url, admin, {
      name: 'deploy',
      trust: trust(['sts:AssumeRoleWithWebIdentity', 'sts:TagSession']),
      permissions: permissionsOn(`arn:aws:s3:::${BUCKET}/*`),
    });
    const s3 = s3Client(cluster.url, admin);
    for (const bucket of [BUCKET, 'others']) await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });

  afterAll(async () => {
    await cluster?.close();
    await issuer.close();
  });

  test('gives a good token credentials for what the role permits, after asking our issuer for its keys', async () => {
    const token = await issuer.token(AUDIENCE);
    const before = issuer.requests.length;
    const answer = await assume(token);
    expect(issuer.requests.slice(before)).toEqual(['GET /.well-known/openid-configuration', 'GET /.well-known/jwks']);
    expect(answer).toMatchObject({
      Audience: AUDIENCE,
      SubjectFromWebIdentityToken: SUBJECT,
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/job-1` },
    });
    const session = credentialsOf(answer);
    await put(session, 'web/a b+é.tar');
    expect(await get(session, 'web/a b+é.tar')).toBe('this is web/a b+é.tar');
    expect(await refusalOf(put(session, 'web/x', 'others'))).toBe(403);
  });

  test('refuses a token of another job, for another audience, or that is over', async () => {
    const other = await issuer.token(AUDIENCE, { pipeline: { name: 'other', id: '8' } });
    expect(await refusalOf(assume(other))).toBe(403);
    const elsewhere = await issuer.token('https://elsewhere.example');
    expect(await refusalOf(assume(elsewhere))).toBe(403);
    issuer.clock.push(-3_600_000);
    const over = await issuer.token(AUDIENCE);
    issuer.clock.push(3_600_000);
    expect(await refusalOf(assume(over))).toBe(403);
    expect(await refusalOf(assume(await issuer.token(AUDIENCE)))).toBe(undefined);
  });

  test('does what `jobpass doctor --aws` foretells', async () => {
    const foretold = (token: string) =>
      inFreshFolder(async (folder) => {
        writeFileSync(join(folder, 'role.json'), JSON.stringify(trust(['sts:AssumeRoleWithWebIdentity'])));
        writeFileSync(join(folder, 'token'), token);
        const args = ['doctor', '--aws', 'role.json', '--token-file', 'token', '--compatible'];
        return (await jobpass(args, { folder })).code;
      });
    const [good, other] = [await issuer.token(AUDIENCE), await issuer.token(AUDIENCE, { ref: 'refs/heads/other' })];
    expect([await foretold(good), await refusalOf(assume(good))]).toEqual([0, undefined]);
    expect([await foretold(other), await refusalOf(assume(other))]).toEqual([1, 403]);
  });

  test.each(FORGERIES)('refuses a token %s', async (_what, forge) => {
    const token = await issuer.token(AUDIENCE);
    expect(await refusalOf(assume(forge(token, issuer.certificate)))).toBe(403);
    expect(await refusalOf(assume(token))).toBe(undefined);
  });

  test('gives no more than the session policy of the call lets through', async () => {
    const Policy = JSON.stringify(permissionsOn(`arn:aws:s3:::${BUCKET}/narrow/*`));
    const session = credentialsOf(await assume(await issuer.token(AUDIENCE), { Policy }));
    await put(session, 'narrow/x');
    expect(await refusalOf(put(session, 'wide/x'))).toBe(403);
  });

  test('takes neither a changed session token nor a session’s key without it', async () => {
    const session = credentialsOf(await assume(await issuer.token(AUDIENCE)));
    const { accessKeyId, secretAccessKey, sessionToken } = session;
    const changed = `${sessionToken.slice(0, 40)}${sessionToken[40] === 'A' ? 'B' : 'A'}${sessionToken.slice(41)}`;
    expect(await refusalOf(put({ ...session, sessionToken: changed }, 'x'))).toBe(400);
    expect(await refusalOf(put({ accessKeyId, secretAccessKey }, 'x'))).toBe(403);
  });

  test('refuses a token with session tags where the trust policy does not allow tagging', async () => {
    const untagged = { name: 'untagged', trust: trust(['sts:AssumeRoleWithWebIdentity']) };
    const RoleArn = await createRole(cluster.url, admin, untagged);
    const call = { RoleArn, RoleSessionName: 'job-1' };
    const tagged = await issuer.token(AUDIENCE, { aws_session_tags: ['pipeline_id'] });
    expect(await refusalOf(assumeRole(cluster.url, { ...call, WebIdentityToken: tagged }))).toBe(403);
    const plain = await issuer.token(AUDIENCE);
    expect(await refusalOf(assumeRole(cluster.url, { ...call, WebIdentityToken: plain }))).toBe(undefined);
    expect(await refusalOf(assume(tagged))).toBe(undefined);
  });

  test('follows a key rotation: both thumbprints registered, then the new key is used', async () => {
    const [first] = issuer.thumbprints();
    await issuer.prepareKey();
    expect(issuer.thumbprints()).toHaveLength(2);
    expect(await refusalOf(assume(await issuer.token(AUDIENCE)))).toBe(undefined);
    await replaceProvider(cluster.url, admin, provider());
    const last = await issuer.token(AUDIENCE);
    await issuer.activateKey();
    expect(issuer.thumbprints()[1]).toBe(first);
    expect(await refusalOf(assume(await issuer.token(AUDIENCE)))).toBe(undefined);
    // Ceph 16 reads the first key of a set alone: what the old key signed is refused from then on.
    expect(await refusalOf(assume(last))).toBe(403);
  });

  test('serves a user with a static key, as a gateway’s upstream does', async () => {
    const upstream = await cluster.createUser({ name: 'gateway', tenant: ACCOUNT });
    await s3Client(cluster.url, upstream).send(new CreateBucketCommand({ Bucket: 'upstream' }));
    await put(upstream, 'x', 'upstream');
    expect(await refusalOf(put(upstream, 'x', 'others'))).toBe(403);
  });
});
