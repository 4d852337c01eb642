import { describe, expect, it } from 'vitest';
import {
  type Case,
  documentSet,
  examined as examinedBy,
  failing,
  findingOf,
  outcomes,
} from '../../../../../test/fakes/examined.ts';
import { CLAIMS, FakePublicIssuer, ISSUER, JWKS_URI, NOW, rsaKeys } from '../../../../../test/fakes/public-issuer.ts';
import type { JsonObject, JsonValue } from '../../../../base/core/json.ts';
import type { Report } from '../examine.ts';
import { azureCloud } from './azure-cloud.ts';

const AUDIENCE = 'api://AzureADTokenExchange';
const CREDENTIAL = { name: 'main', issuer: ISSUER, subject: String(CLAIMS.sub), audiences: [AUDIENCE] };
const KEYS = rsaKeys();

interface AzureCase extends Pick<Case, 'issuer' | 'claims' | 'patient'> {
  readonly document?: JsonValue & object;
  readonly compatible?: boolean;
}

const examined = ({
  claims = {},
  compatible = false,
  document = [CREDENTIAL],
  ...o
}: AzureCase = {}): Promise<Report> =>
  examinedBy({
    cloud: azureCloud({ isItself: !compatible, document }),
    policies: documentSet('credentials.json', document),
    issuer: new FakePublicIssuer(KEYS),
    claims: { aud: AUDIENCE, ...claims },
    ...o,
  });

it('both ends agree when every check holds, and what cannot be seen from here is said to be so', async () => {
  const report = await examined();
  expect(report).toMatchObject({ cloud: 'azure', verdict: 'agree', thumbprints: [] });
  expect(outcomes(report)).toEqual({
    issuer: 'ok',
    'issuer form': 'ok',
    algorithm: 'ok',
    times: 'ok',
    subject: 'ok',
    audience: 'ok',
    'trust policy': 'ok',
    credentials: 'ok',
    application: 'unseen',
    discovery: 'ok',
    reachable: 'unseen',
    'key set': 'ok',
    signature: 'ok',
    tls: 'ok',
    'keys read': 'ok',
  });
});

describe('the token', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    ['is over', { exp: NOW - 60 }, ['times']],
    ['has no subject', { sub: null }, ['subject', 'trust policy']],
    ['has a subject of more than 600 characters', { sub: 'x'.repeat(601) }, ['subject', 'trust policy']],
    ['is for another audience', { aud: 'sts.amazonaws.com' }, ['audience', 'trust policy']],
    ['is for several audiences', { aud: [AUDIENCE, 'another'] }, ['audience', 'trust policy']],
    ['has another subject', { sub: 'owner:acme@42:pipeline:api@8:environment:production' }, ['trust policy']],
  ])('that %s is refused, and only for that', async (_what, claims, checks) => {
    const report = await examined({ claims });
    expect(failing(report)).toEqual(checks);
    for (const check of checks) expect(findingOf(report, check)).toHaveProperty('fix');
  });

  it('signed by anything but RS256 is refused, but perhaps not by another STS', async () => {
    const issuer = new FakePublicIssuer();
    expect(failing(await examined({ issuer }))).toEqual(['algorithm', 'signature']);
    expect(outcomes(await examined({ issuer, compatible: true }))).toMatchObject({
      algorithm: 'unseen',
      signature: 'ok',
    });
  });
});

describe('the credentials', () => {
  it('are compared with case, and it says what to write', async () => {
    const report = await examined({ document: [{ ...CREDENTIAL, subject: CREDENTIAL.subject.replace('web', 'Web') }] });
    expect(findingOf(report, 'trust policy')).toMatchObject({
      detail: 'sub does not hold: differs only in case (credentials.json:1)',
      fix: `write ${CREDENTIAL.subject} (credentials.json:1)`,
    });
  });

  it('without this subject lead to the one to write', async () => {
    const finding = findingOf(await examined({ claims: { sub: 'another' } }), 'trust policy');
    expect(finding).toMatchObject({ fix: 'a credential of its own with the subject another' });
  });

  it('of an issuer with a slash at its end are another one’s', async () => {
    const report = await examined({ document: [{ ...CREDENTIAL, issuer: `${ISSUER}/` }] });
    expect(failing(report)).toEqual(['issuer', 'trust policy']);
    expect(findingOf(report, 'issuer')).toMatchObject({ detail: expect.stringContaining('a slash at the end') });
  });

  it.each([
    ['as az lists them', [CREDENTIAL, { ...CREDENTIAL, name: 'dev', subject: 'x' }], '2 of the 20'],
    ['as Graph answers', { value: [CREDENTIAL] }, '1 of the 20'],
  ])('are counted %s', async (_what, document, count) => {
    const finding = findingOf(await examined({ document }), 'credentials');
    expect(finding).toMatchObject({ outcome: 'ok', detail: expect.stringContaining(count) });
  });

  it('cannot be counted when one of them is shown', async () => {
    const report = await examined({ document: CREDENTIAL });
    expect([report.verdict, outcomes(report).credentials]).toEqual(['agree', 'unseen']);
  });
});

describe('the issuer', () => {
  it('at a private address is out of Azure’s reach, and perhaps not out of another STS’s', async () => {
    const issuer = new FakePublicIssuer(KEYS);
    issuer.network = 'private';
    expect(failing(await examined({ issuer }))).toEqual(['reachable']);
    expect(outcomes(await examined({ issuer, compatible: true })).reachable).toBe('unseen');
  });

  it('with more keys than Azure reads must have the one that signs among the first', async () => {
    const issuer = new FakePublicIssuer(KEYS);
    const others = Array.from({ length: 100 }, (_, index) => ({ ...KEYS.publicJwks().keys[0], kid: `k${index}` }));
    issuer.answers.set(JWKS_URI, { keys: [...others, ...KEYS.publicJwks().keys] });
    expect(failing(await examined({ issuer }))).toContain('keys read');
    issuer.answers.set(JWKS_URI, { keys: [...KEYS.publicJwks().keys, ...others.slice(1)] });
    expect((await examined({ issuer })).verdict).toBe('agree');
  });
});
