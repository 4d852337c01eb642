import { describe, expect, it } from 'vitest';
import {
  type Case,
  documentSet,
  examined as examinedBy,
  failing,
  findingOf,
  outcomes,
} from '../../../../../test/fakes/examined.ts';
import { CLAIMS, FakePublicIssuer, ISSUER, JWKS_URI, NOW } from '../../../../../test/fakes/public-issuer.ts';
import type { JsonObject } from '../../../../base/core/json.ts';
import type { Report } from '../examine.ts';
import { gcpCloud } from './gcp-cloud.ts';

const POOL = 'projects/42/locations/global/workloadIdentityPools/ci-jobs';
const NAME = `${POOL}/providers/jobpass`;
const PROVIDER = {
  name: NAME,
  state: 'ACTIVE',
  oidc: { issuerUri: ISSUER },
  attributeMapping: { 'google.subject': 'assertion.sub', 'attribute.pipeline_id': 'assertion.pipeline_id' },
  attributeCondition: "assertion.owner_id == '42'",
};
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/${CLAIMS.sub}`;
const TOKEN = { aud: `https://iam.googleapis.com/${NAME}`, owner_id: '42', pipeline_id: '7' };
const bindings = (...members: readonly string[]) => ({
  bindings: { etag: 'BwY', bindings: [{ role: 'roles/iam.workloadIdentityUser', members }] },
});
const DOCUMENT = { provider: PROVIDER, ...bindings(PRINCIPAL) };

interface GcpCase extends Pick<Case, 'issuer' | 'claims' | 'patient'> {
  readonly document?: JsonObject;
  readonly compatible?: boolean;
}

const examined = ({ claims = {}, compatible = false, document = DOCUMENT, ...o }: GcpCase = {}): Promise<Report> =>
  examinedBy({
    cloud: gcpCloud({ isItself: !compatible, document }),
    policies: documentSet('provider.json', document),
    claims: { ...TOKEN, ...claims },
    ...o,
  });

/** The document with another provider in it. */
const provider = (changes: JsonObject): JsonObject => ({ ...DOCUMENT, provider: { ...PROVIDER, ...changes } });
const uploading = (keys: unknown): JsonObject =>
  provider({ oidc: { issuerUri: ISSUER, jwksJson: typeof keys === 'string' ? keys : JSON.stringify(keys) } });

describe('both ends', () => {
  it('agree when every check holds, and what cannot be seen from here is said to be so', async () => {
    const report = await examined();
    expect(report).toMatchObject({ cloud: 'gcp', verdict: 'agree', thumbprints: [] });
    expect(outcomes(report)).toEqual({
      issuer: 'ok',
      'issuer form': 'ok',
      algorithm: 'ok',
      times: 'ok',
      lifetime: 'ok',
      subject: 'ok',
      audience: 'ok',
      'google.subject': 'ok',
      'trust policy': 'ok',
      binding: 'ok',
      permissions: 'unseen',
      discovery: 'ok',
      reachable: 'unseen',
      'key set': 'ok',
      signature: 'ok',
      tls: 'ok',
    });
  });

  it('agree by the provider’s full name as audience, in both its forms, and by a list of its own alone', async () => {
    expect((await examined({ claims: { aud: `//iam.googleapis.com/${NAME}` } })).verdict).toBe('agree');
    const document = provider({ oidc: { issuerUri: ISSUER, allowedAudiences: ['ci'] } });
    expect((await examined({ document, claims: { aud: 'ci' } })).verdict).toBe('agree');
    expect(findingOf(await examined({ document }), 'audience')).toMatchObject({
      outcome: 'wrong',
      fix: 'jobpass token --audience ci',
    });
  });
});

describe('the token', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['is over', { iat: NOW - 900, exp: NOW - 60 }, ['times']],
    ['lives a day', { iat: NOW - 60, exp: NOW - 60 + 86_400 }, ['lifetime', 'trust policy']],
    ['has no subject', { sub: null }, ['subject', 'google.subject', 'trust policy']],
    ['has a subject of more than 127 bytes', { sub: 'ö'.repeat(64) }, ['google.subject', 'trust policy']],
    ['is for another audience', { aud: 'sts.amazonaws.com' }, ['audience', 'trust policy']],
    ['is for several audiences', { aud: [TOKEN.aud, 'another'] }, ['audience', 'trust policy']],
    ['does not meet the condition', { owner_id: '43' }, ['trust policy']],
    ['lacks a mapped claim', { pipeline_id: null }, ['trust policy']],
  ])('that %s is refused, and only for that', async (_what, claims, checks) => {
    const report = await examined({ claims });
    expect(failing(report)).toEqual(checks);
    for (const check of checks) expect(findingOf(report, check)).toHaveProperty('fix');
  });

  it('that lives a second less than a day is taken', async () => {
    expect((await examined({ claims: { iat: NOW - 60, exp: NOW - 61 + 86_400 } })).verdict).toBe('agree');
  });

  it('with a long subject is told of the short one', async () => {
    const finding = findingOf(await examined({ claims: { sub: 'x'.repeat(128) } }), 'google.subject');
    expect(finding).toMatchObject({
      detail: expect.stringContaining('(128 of 127 bytes)'),
      fix: expect.stringContaining('sub127'),
    });
  });

  it('signed by EdDSA is refused, but perhaps not by another STS', async () => {
    const issuer = new FakePublicIssuer();
    const token = await issuer.token(TOKEN);
    const eddsa = { token: { ...token, header: { ...token.header, alg: 'EdDSA' } } };
    expect(failing(await examined({ issuer, patient: eddsa }))).toEqual(['algorithm', 'signature']);
    const elsewhere = await examined({ issuer, patient: eddsa, compatible: true });
    expect(outcomes(elsewhere).algorithm).toBe('unseen');
  });
});

describe('the issuer', () => {
  it('that differs by a slash at the end is another one', async () => {
    const report = await examined({ document: provider({ oidc: { issuerUri: `${ISSUER}/` } }) });
    expect(findingOf(report, 'issuer')).toMatchObject({
      outcome: 'wrong',
      detail: expect.stringContaining('a slash at the end'),
    });
    expect(outcomes(report).audience).toBe('unseen');
  });

  it('at a private address must have its keys uploaded', async () => {
    const issuer = new FakePublicIssuer();
    issuer.network = 'private';
    expect(failing(await examined({ issuer }))).toEqual(['reachable']);
    expect((await examined({ issuer, document: uploading(issuer.keys.publicJwks()) })).verdict).toBe('agree');
  });
});

describe('uploaded keys', () => {
  const stranger = new FakePublicIssuer().keys.publicJwks().keys.map((key) => ({ ...key, kid: 'stranger' }));

  it('that are the issuer’s make it need nobody’s reach', async () => {
    const issuer = new FakePublicIssuer();
    const document = uploading(issuer.keys.publicJwks());
    expect(outcomes(await examined({ issuer, document }))).toMatchObject({ 'uploaded keys': 'ok', 'same keys': 'ok' });
    issuer.answerDiscovery({ failure: 'timeout' });
    const alone = await examined({ issuer, document });
    expect(alone.verdict).toBe('agree');
    expect(outcomes(alone)).toMatchObject({ discovery: 'unseen', 'uploaded keys': 'ok', 'same keys': 'unseen' });
  });

  it.each<[string, (own: readonly JsonObject[]) => unknown, readonly string[]]>([
    ['no key set', () => 'x', ['uploaded keys']],
    ['other keys', () => ({ keys: stranger }), ['uploaded keys', 'same keys']],
    [
      'another key under the same id',
      () => ({ keys: stranger.map((key) => ({ ...key, kid: 'test' })) }),
      ['uploaded keys', 'same keys'],
    ],
    ['a key that is not published any more', (own) => ({ keys: [...own, ...stranger] }), ['same keys']],
  ])('that are %s are found out', async (_what, uploaded, checks) => {
    const issuer = new FakePublicIssuer();
    const document = uploading(uploaded(issuer.keys.publicJwks().keys));
    expect(failing(await examined({ issuer, document }))).toEqual(checks);
  });

  it('that lack a published one are found out before it signs', async () => {
    const issuer = new FakePublicIssuer();
    const own = issuer.keys.publicJwks().keys;
    issuer.answers.set(JWKS_URI, { keys: [...own, ...stranger] });
    const report = await examined({ issuer, document: uploading({ keys: own }) });
    expect(findingOf(report, 'same keys')).toMatchObject({
      outcome: 'wrong',
      detail: 'published and not uploaded: stranger; what it signs is refused',
    });
  });
});

describe('the bindings', () => {
  const pool = `principalSet://iam.googleapis.com/${POOL}`;

  it.each([
    ['the subject', [PRINCIPAL], PRINCIPAL],
    ['an attribute', [`${pool}/attribute.pipeline_id/7`], `${pool}/attribute.pipeline_id/7`],
    ['the whole pool', [`${pool}/*`], `${pool}/*`],
    [
      'several',
      [`${pool}/attribute.pipeline_id/8`, PRINCIPAL, `${pool}-b/*`, `${pool}/*`],
      `${PRINCIPAL} and ${pool}/*`,
    ],
  ])('that name %s are said to be hit', async (_what, members, hit) => {
    const report = await examined({ document: { ...DOCUMENT, ...bindings(...members) } });
    expect(findingOf(report, 'binding')).toEqual({ check: 'binding', outcome: 'ok', detail: hit });
  });

  it('that name nobody of the token lead to the name to bind', async () => {
    const report = await examined({ document: { ...DOCUMENT, ...bindings(`${pool}/attribute.pipeline_id/8`) } });
    expect(failing(report)).toEqual(['trust policy']);
    expect(findingOf(report, 'trust policy')).toMatchObject({
      fix: `bind ${PRINCIPAL}, or one of its attributes`,
    });
  });

  it('that miss by case say so, in the words of policy explain', async () => {
    const report = await examined({ document: { ...DOCUMENT, ...bindings(PRINCIPAL.replace('web', 'Web')) } });
    expect(findingOf(report, 'trust policy')).toMatchObject({
      detail: expect.stringContaining('bindings does not hold: differs only in case'),
      fix: expect.stringContaining(`write ${PRINCIPAL}`),
    });
  });

  it('that are not in the file cannot be seen, and the identity is told', async () => {
    const report = await examined({ document: PROVIDER });
    expect(report.verdict).toBe('agree');
    expect(findingOf(report, 'binding')).toMatchObject({
      outcome: 'unseen',
      detail: expect.stringContaining(PRINCIPAL),
    });
  });
});

it('the condition that just misses says how, and what to write', async () => {
  const report = await examined({
    document: provider({ attributeCondition: "assertion.ref == 'refs/heads/Main'" }),
    claims: { ref: 'refs/heads/main' },
  });
  expect(findingOf(report, 'trust policy')).toMatchObject({
    detail: expect.stringContaining('condition does not hold: differs only in case'),
    fix: expect.stringContaining("write assertion.ref == 'refs/heads/main'"),
  });
});
