import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Claims, JsonObject, JsonValue } from '../core/json.ts';
import { assembleJws } from '../jwt/assemble.ts';
import { importKeySet, type VerificationKey } from '../jwt/jwk.ts';
import type { Signer } from '../ports/signer.ts';
import { ACCESS_TOKEN_TYPE, accessTokenClaims, openAccessToken } from './access-token.ts';
import type { CarriedSession, OpenOptions } from './carried-session.ts';

const NOW = 1_790_000_000;
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const edPair = generateKeyPairSync('ed25519');

const signerOf = (key: KeyObject, kid = 'k1'): Signer => ({
  kid,
  algorithm: key.asymmetricKeyType === 'ec' ? 'ES256' : 'EdDSA',
  sign: async (input) =>
    key.asymmetricKeyType === 'ec' ? sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }) : sign(null, input, key),
});

function keysOf(key: KeyObject, kid = 'k1'): readonly VerificationKey[] {
  const set = importKeySet({ keys: [{ ...(key.export({ format: 'jwk' }) as JsonObject), kid }] });
  if (!set.ok) throw new Error(set.error.detail);
  return set.value.keys;
}

const SESSION: CarriedSession = {
  issuer: 'https://sts.example.com',
  sessionId: 'S4F1',
  role: 'main/publish-web',
  group: 'artifacts',
  subject: 'owner:acme@42:pipeline:web@7:environment:production',
  jobIssuer: 'https://ci.example.com',
  jobId: 'J7Q2',
  jobBound: true,
  claims: { pipeline_id: '7' },
  issuedAt: NOW - 10,
  expiresAt: NOW + 600,
  tags: {},
  sourceIdentity: null,
  policy: null,
};
const CLAIMS = accessTokenClaims(SESSION);
const ALLOW = { effect: 'allow', actions: ['s3:GetObject'], resources: ['arn:aws:s3:::web/*'], line: 1 } as const;
const POLICY = [
  ALLOW,
  { ...ALLOW, effect: 'deny', conditions: { StringEquals: { 's3:prefix': ['a', 'b'] } } },
] as const;

const OPEN: OpenOptions = {
  issuer: 'https://sts.example.com',
  groups: ['artifacts'],
  keys: keysOf(keyPair.publicKey),
  nowSeconds: NOW,
  skewSeconds: 30,
};

const make = (
  claims: Claims = CLAIMS,
  typ = ACCESS_TOKEN_TYPE,
  signer = signerOf(keyPair.privateKey),
): Promise<string> => assembleJws({ typ }, claims, signer);

const reasonOf = async (token: string, options: Partial<OpenOptions> = {}): Promise<string> => {
  const opened = await openAccessToken(token, { ...OPEN, ...options });
  return opened.ok ? 'ok' : opened.error.reason;
};

const without = (name: string): Claims => Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name));

describe('the claims of an access token', () => {
  it('are those of RFC 9068 and our own, in this order', () => {
    expect(JSON.stringify(CLAIMS)).toBe(
      '{"iss":"https://sts.example.com","sub":"owner:acme@42:pipeline:web@7:environment:production","aud":"urn:jobpass:gateway:artifacts",' +
        '"exp":1790000600,"iat":1789999990,"jti":"S4F1","client_id":"urn:jobpass:role:main/publish-web","role":"main/publish-web",' +
        '"job":{"iss":"https://ci.example.com","id":"J7Q2"},"job_bound":true,"claims":{"pipeline_id":"7"}}',
    );
  });
});

describe('opening', () => {
  it.each([
    ['a session bound to its job', SESSION],
    ['a session of a foreign CI', { ...SESSION, jobBound: false }],
    ['a session without a job', { ...SESSION, jobBound: false, jobId: null, claims: {} }],
    [
      'a session with tags and a source identity',
      { ...SESSION, tags: { team: 'web', sub: 'x' }, sourceIdentity: 'you' },
    ],
    ['a session policy', { ...SESSION, policy: POLICY }],
    ['a session policy that allows nothing', { ...SESSION, policy: [] }],
  ])('gives back %s', async (_, session) => {
    expect(await openAccessToken(await make(accessTokenClaims(session)), OPEN)).toMatchObject({
      ok: true,
      value: { session },
    });
  });

  it.each(['JWT', 'AT+JWT', 'application/at+jwt', 'jobpass-feed+jwt', 'at+jwt ', ''])('refuses typ %j', async (typ) => {
    expect(await reasonOf(await make(CLAIMS, typ))).toBe('token_type_refused');
  });

  it('refuses what is no strict JWS', async () => {
    for (const token of ['', 'a.b', `${await make()}=`, ` ${await make()}`]) {
      expect(await reasonOf(token)).toBe('token_malformed');
    }
  });

  it('refuses another key under the same name, an unknown key, and another algorithm', async () => {
    expect(await reasonOf(await make(CLAIMS, ACCESS_TOKEN_TYPE, signerOf(otherPair.privateKey)))).toBe(
      'signature_invalid',
    );
    expect(await reasonOf(await make(CLAIMS, ACCESS_TOKEN_TYPE, signerOf(keyPair.privateKey, 'k2')))).toBe(
      'key_unknown',
    );
    expect(await reasonOf(await make(), { keys: [] })).toBe('key_unknown');
    const eddsa = await make(CLAIMS, ACCESS_TOKEN_TYPE, signerOf(edPair.privateKey));
    expect(await reasonOf(eddsa, { keys: keysOf(edPair.publicKey) })).toBe('algorithm_refused');
  });

  it('refuses another STS and another group', async () => {
    expect(await reasonOf(await make({ ...CLAIMS, iss: 'https://sts.example.com/' }))).toBe('issuer_unknown');
    expect(await reasonOf(await make(), { issuer: 'https://other.example.com' })).toBe('issuer_unknown');
    expect(await reasonOf(await make(), { groups: ['other'] })).toBe('group_mismatch');
    expect(await reasonOf(await make({ ...CLAIMS, aud: 'artifacts' }))).toBe('group_mismatch');
    expect(await reasonOf(await make({ ...CLAIMS, aud: 'urn:jobpass:gateway:artifacts2' }))).toBe('group_mismatch');
  });

  it('refuses a token outside its time', async () => {
    const token = await make();
    expect(await reasonOf(token, { nowSeconds: SESSION.expiresAt + 29 })).toBe('ok');
    expect(await reasonOf(token, { nowSeconds: SESSION.expiresAt + 30 })).toBe('session_expired');
    expect(await reasonOf(token, { nowSeconds: SESSION.issuedAt - 31 })).toBe('token_not_yet_valid');
  });

  it.each(Object.keys(CLAIMS))('refuses a token without %s', async (name) => {
    expect(await reasonOf(await make(without(name)))).toBe('claim_missing');
  });

  const malformed: [string, JsonValue][] = [
    ['iss', 1],
    ['sub', ''],
    ['aud', ['urn:jobpass:gateway:artifacts']],
    ['exp', String(NOW + 600)],
    ['exp', NOW + 600.5],
    ['iat', null],
    ['jti', ['S4F1']],
    ['client_id', 'urn:jobpass:role:main/other'],
    ['role', 'publish-web'],
    ['role', 'main/'],
    ['role', 'main/a/b'],
    ['job', null],
    ['job', 'J7Q2'],
    ['job', { iss: 'https://ci.example.com' }],
    ['job', { iss: 'https://ci.example.com', id: 7 }],
    ['job', { iss: '', id: 'J7Q2' }],
    ['job', { iss: 'https://ci.example.com', id: '' }],
    ['job', { iss: 'https://ci.example.com', id: 'J7Q2', more: true }],
    ['job', { iss: 'https://ci.example.com', id: null }],
    ['job_bound', 'true'],
    ['claims', []],
    ['claims', { pipeline_id: 7 }],
    ['cnf', { jkt: 'x' }],
    ['nbf', NOW],
    ['tags', {}],
    ['tags', { team: ['web'] }],
    ['source_identity', ''],
    ['source_identity', null],
    ['policy', null],
    ['policy', {}],
    ['policy', [{ ...ALLOW, effect: 'Allow' }]],
    ['policy', [{ ...ALLOW, actions: [] }]],
    ['policy', [{ ...ALLOW, resources: 'arn:aws:s3:::web/*' }]],
    ['policy', [{ ...ALLOW, more: true }]],
    ['policy', [{ ...ALLOW, conditions: { StringEquals: { a: null } } }]],
  ];
  it.each(malformed)('refuses %s of %j', async (name, value) => {
    expect(await reasonOf(await make({ ...CLAIMS, [name]: value }))).toBe('claim_malformed');
  });

  it('looks at no claim before the signature holds', async () => {
    const forged = await make({ iss: 'x' }, ACCESS_TOKEN_TYPE, signerOf(otherPair.privateKey));
    expect(await reasonOf(forged)).toBe('signature_invalid');
  });
});
