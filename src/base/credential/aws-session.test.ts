import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Claims, JsonObject, JsonValue } from '../core/json.ts';
import type { Statement } from '../core/permissions.ts';
import { assembleJws } from '../jwt/assemble.ts';
import { importKeySet, type VerificationKey } from '../jwt/jwk.ts';
import type { Signer } from '../ports/signer.ts';
import { ACCESS_TOKEN_TYPE, accessTokenClaims, openAccessToken } from './access-token.ts';
import {
  AWS_SESSION_TOKEN_TYPE,
  awsAccessKeyId,
  awsSecretKey,
  awsSessionTokenClaims,
  awsSessionTokenProblem,
  openAwsSessionToken,
} from './aws-session.ts';
import type { CarriedSession, OpenOptions } from './carried-session.ts';
import { MAX_PACKED_BYTES, pack, unpack } from './packed.ts';

const NOW = 1_790_000_000;
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const signerOf = (key: KeyObject): Signer => ({
  kid: 'k1',
  algorithm: 'ES256',
  sign: async (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }),
});

function keysOf(key: KeyObject): readonly VerificationKey[] {
  const set = importKeySet({ keys: [{ ...(key.export({ format: 'jwk' }) as JsonObject), kid: 'k1' }] });
  if (!set.ok) throw new Error(set.error.detail);
  return set.value.keys;
}

const ALLOW: Statement = { effect: 'allow', actions: ['s3:GetObject'], resources: ['arn:aws:s3:::web/*'], line: 1 };
const SESSION: CarriedSession = {
  issuer: 'https://sts.example.com',
  sessionId: 'S0123456789AB',
  role: 'main/publish-web',
  group: 'artifacts',
  subject: 'owner:acme@42:pipeline:web@7:environment:production',
  jobIssuer: 'https://ci.example.com',
  jobId: 'J7Q2',
  jobBound: true,
  claims: { pipeline_id: '7' },
  issuedAt: NOW - 10,
  expiresAt: NOW + 600,
  tags: { pipeline: 'web', Team: 'späte Nacht' },
  sourceIdentity: 'you',
  policy: [ALLOW],
};
const AWS = {
  session: SESSION,
  roleArn: 'arn:aws:iam::000000000042:role/ci/publish-web',
  sessionName: 'job-1',
  groupKeyId: 'GK1',
};
const CLAIMS = awsSessionTokenClaims(AWS);
const OPEN: OpenOptions = {
  issuer: SESSION.issuer,
  groups: ['artifacts'],
  keys: keysOf(keyPair.publicKey),
  nowSeconds: NOW,
  skewSeconds: 30,
};

const make = (claims: Claims = CLAIMS, typ = AWS_SESSION_TOKEN_TYPE, key = keyPair.privateKey): Promise<string> =>
  assembleJws({ typ }, claims, signerOf(key));
const reasonOf = async (token: string, options: Partial<OpenOptions> = {}): Promise<string> => {
  const opened = await openAwsSessionToken(token, { ...OPEN, ...options });
  return opened.ok ? 'ok' : opened.error.reason;
};

describe('a session token', () => {
  it.each<[string, Partial<CarriedSession>]>([
    ['tags, source identity and session policy', {}],
    ['tags named like claims', { tags: { sub: 'x', exp: '1', ['__proto__']: 'y' } }],
    ['nothing packed', { tags: {}, policy: null, sourceIdentity: null }],
    ['a session policy that allows nothing', { tags: {}, policy: [] }],
    ['no job', { jobId: null, jobBound: false }],
  ])('gives back a session with %s', async (_, change) => {
    const session = { ...SESSION, ...change };
    const opened = await openAwsSessionToken(await make(awsSessionTokenClaims({ ...AWS, session })), OPEN);
    const accessKeyId = awsAccessKeyId(SESSION.sessionId);
    expect(opened).toMatchObject({ ok: true });
    expect(opened.ok && opened.value.aws).toStrictEqual({ ...AWS, session, accessKeyId });
  });

  it('holds no secret', async () => {
    const secret = awsSecretKey(new Uint8Array(32).fill(7), SESSION.sessionId).reveal();
    expect(JSON.stringify(CLAIMS)).not.toContain(secret);
  });

  it('is no access token, and no access token is one', async () => {
    const open = { ...OPEN };
    const asAccess = await openAccessToken(await make(), open);
    expect(asAccess).toMatchObject({ ok: false, error: { reason: 'token_type_refused' } });
    expect(await reasonOf(await make(accessTokenClaims(SESSION), ACCESS_TOKEN_TYPE))).toBe('token_type_refused');
    // Nor would it be one under the other's type.
    expect(await reasonOf(await make(accessTokenClaims(SESSION)))).toBe('claim_missing');
    const retyped = await openAccessToken(await make(CLAIMS, ACCESS_TOKEN_TYPE), open);
    expect(retyped).toMatchObject({ ok: false, error: { reason: 'claim_missing' } });
  });

  it('of another group, another STS or another key is refused', async () => {
    expect(await reasonOf(await make(), { groups: ['other'] })).toBe('group_mismatch');
    expect(await reasonOf(await make(), { groups: [] })).toBe('group_mismatch');
    expect(await reasonOf(await make(), { groups: ['other', 'artifacts'] })).toBe('ok');
    expect(await reasonOf(await make(), { issuer: 'https://other.example.com' })).toBe('issuer_unknown');
    expect(await reasonOf(await make(CLAIMS, AWS_SESSION_TOKEN_TYPE, otherPair.privateKey))).toBe('signature_invalid');
  });

  it('outside its time is refused', async () => {
    expect(await reasonOf(await make(), { nowSeconds: SESSION.expiresAt + 30 })).toBe('session_expired');
    expect(await reasonOf(await make(), { nowSeconds: SESSION.issuedAt - 31 })).toBe('token_not_yet_valid');
  });

  it.each(['role_arn', 'session_name', 'role', 'jti', 'aud', 'exp'])('without %s is refused', async (name) => {
    const rest = Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name));
    expect(await reasonOf(await make(rest))).toBe('claim_missing');
  });

  const bomb = Buffer.concat([
    deflateRawSync(Buffer.from(`{"tags":{"a":"`)),
    deflateRawSync(Buffer.alloc(2 ** 21, 'a'), { level: 9 }),
  ]).toString('base64url');
  it.each<[string, JsonValue]>([
    ['role_arn', 'arn:aws:sts::000000000042:assumed-role/publish-web/job-1'],
    ['session_name', 'job 1'],
    ['source_identity', ''],
    ['packed', ''],
    ['packed', 'AAAA'],
    ['packed', bomb],
    ['packed', deflateRawSync('{"tags":{"a":["b"]}}').toString('base64url')],
    ['packed', deflateRawSync('{"tags":{},"policy":null}').toString('base64url')],
    ['packed', deflateRawSync('{"tags":{},"policy":[{}]}').toString('base64url')],
    ['packed', deflateRawSync('{"tags":{},"more":1}').toString('base64url')],
    ['packed', deflateRawSync('{"tags":{"a":"1","a":"2"}}').toString('base64url')],
    ['tags', { team: 'web' }],
    ['client_id', 'urn:jobpass:role:main/publish-web'],
  ])('with %s %.40j is refused', async (name, value) => {
    expect(await reasonOf(await make({ ...CLAIMS, [name]: value }))).toBe('claim_malformed');
  });

  it('with any packed character changed keeps its signature for itself', async () => {
    const token = await make();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const at = payload.length - 20;
    const changed = `${payload.slice(0, at)}${payload[at] === 'A' ? 'B' : 'A'}${payload.slice(at + 1)}`;
    expect(await reasonOf([header, changed, signature].join('.'))).not.toBe('ok');
  });
});

describe('what is packed', () => {
  it('never unpacks beyond its bound', () => {
    expect(unpack(deflateRawSync(Buffer.alloc(2 ** 21)).toString('base64url'))).toBeUndefined();
    expect(unpack('A'.repeat(MAX_PACKED_BYTES + 1))).toBeUndefined();
  });

  it('says how much room it takes, and what does not fit is told before a token is made', () => {
    const policyOf = (count: number): readonly Statement[] =>
      Array.from({ length: count }, (_, index) => ({
        ...ALLOW,
        resources: [`arn:aws:s3:::${Buffer.from(`${index ** 5}`).toString('base64url')}/*`],
      }));
    expect(pack({ tags: {}, policy: null }).percent).toBe(0);
    expect(pack({ tags: {}, policy: policyOf(3) }).percent).toBeLessThan(20);
    const aws = { ...AWS, session: { ...SESSION, policy: policyOf(400) } };
    const problem = awsSessionTokenProblem(aws);
    expect(problem).toMatchObject({ reason: 'session_policy_too_large' });
    expect(problem?.percent).toBeGreaterThan(100);
    // As little as it deflates to, what no reader would unpack is not packed.
    const same = Array.from({ length: 2000 }, () => ALLOW);
    expect(pack({ tags: {}, policy: same }).percent).toBeGreaterThan(100);
    expect(awsSessionTokenProblem(AWS)).toBeUndefined();
  });

  it('and all claims together leave a token well below 8 KB', async () => {
    let policy: readonly Statement[] = [];
    for (let index = 0; pack({ tags: {}, policy }).percent <= 98; index += 1) {
      policy = [...policy, { ...ALLOW, resources: [`arn:aws:s3:::${((index + 7) ** 9).toString(36)}/*`] }];
    }
    const full = { ...AWS, session: { ...SESSION, tags: {}, policy: policy.slice(1) } };
    expect(awsSessionTokenProblem(full)).toBeUndefined();
    expect((await make(awsSessionTokenClaims(full))).length).toBeLessThan(6 * 1024);
    const long = { ...AWS, session: { ...SESSION, claims: { ref: 'x'.repeat(5000) } } };
    expect(awsSessionTokenProblem(long)).toMatchObject({ reason: 'request_too_large' });
  });
});

describe('the key pair of a session', () => {
  it('follows from its id, and the secret from the group’s key too', () => {
    expect(awsAccessKeyId('S1')).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(awsAccessKeyId('S2')).not.toBe(awsAccessKeyId('S1'));
    const secret = (byte: number, id: string): string => awsSecretKey(new Uint8Array(32).fill(byte), id).reveal();
    expect(secret(1, 'S1')).toMatch(/^[A-Za-z0-9+/]{40}$/);
    expect(secret(1, 'S1')).toBe(secret(1, 'S1'));
    expect(new Set([secret(1, 'S1'), secret(2, 'S1'), secret(1, 'S2')]).size).toBe(3);
  });

  it('stays what it was: sessions outlive the server that made them', () => {
    expect(awsAccessKeyId('S0123456789AB')).toMatchInlineSnapshot(`"ASIAAWUKNF7X5QMK7HO2"`);
    expect(awsSecretKey(new Uint8Array(32), 'S0123456789AB').reveal()).toMatchInlineSnapshot(
      `"RE2WeJex6TTFNKii+nG5prts+R8GRz9OfYggZT4W"`,
    );
  });
});
