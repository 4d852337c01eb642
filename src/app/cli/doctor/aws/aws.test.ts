import { describe, expect, it } from 'vitest';
import {
  documentSet,
  examined as examinedBy,
  failing,
  findingOf,
  outcomes,
} from '../../../../../test/fakes/examined.ts';
import { CLAIMS, FakePublicIssuer, ISSUER, JWKS_URI, NOW } from '../../../../../test/fakes/public-issuer.ts';
import type { JsonObject } from '../../../../base/core/json.ts';
import type { Patient, Report } from '../examine.ts';
import { awsCloud } from './aws-cloud.ts';

const PROVIDER = 'arn:aws:iam::111122223333:oidc-provider/ci.example.com';
const STATEMENT = {
  Effect: 'Allow',
  Principal: { Federated: PROVIDER },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: { StringEquals: { 'ci.example.com:sub': CLAIMS.sub, 'ci.example.com:aud': CLAIMS.aud } },
};

const policies = (statement: object = STATEMENT): Patient['policies'] =>
  documentSet('trust.json', { Version: '2012-10-17', Statement: [statement] });

interface Case {
  readonly issuer?: FakePublicIssuer;
  readonly claims?: JsonObject;
  readonly patient?: Partial<Patient>;
  readonly compatible?: boolean;
  readonly fileHasTail?: boolean;
  /** What `aws iam get-role` prints beside the policy. */
  readonly role?: JsonObject;
}

function examined({ compatible = false, fileHasTail = false, role = HOUR, ...o }: Case = {}): Promise<Report> {
  const cloud = awsCloud({ isItself: !compatible, document: role, fileHasTail });
  return examinedBy({ cloud, policies: policies(), ...o });
}

const HOUR = { Role: { MaxSessionDuration: 3600 } };

describe('both ends', () => {
  it('agree when every check holds, and what cannot be seen from here is said to be so', async () => {
    const report = await examined();
    expect(report.verdict).toBe('agree');
    expect(outcomes(report)).toEqual({
      issuer: 'ok',
      'issuer form': 'ok',
      algorithm: 'ok',
      times: 'ok',
      subject: 'ok',
      audience: 'ok',
      'trust policy': 'ok',
      provider: 'unseen',
      session: 'ok',
      discovery: 'ok',
      reachable: 'unseen',
      'key set': 'ok',
      signature: 'ok',
      tls: 'ok',
    });
    expect(report.thumbprints).toEqual([
      { kind: 'tls', of: 'ci.example.com', sha1: 'aa'.repeat(20) },
      { kind: 'tls', of: 'Some Root (root)', sha1: 'bb'.repeat(20) },
    ]);
  });

  it('disagree when one check fails, whatever else could not be asked', async () => {
    const issuer = new FakePublicIssuer();
    issuer.answerDiscovery({ failure: 'timeout' });
    expect((await examined({ issuer })).verdict).toBe('unavailable');
    expect((await examined({ issuer, claims: { exp: NOW - 60 } })).verdict).toBe('disagree');
  });
});

describe('the token', () => {
  it.each<[string, JsonObject, string]>([
    ['is over', { exp: NOW - 60 }, 'times'],
    ['is of the future', { iat: NOW + 120, exp: NOW + 600 }, 'times'],
    ['does not say when it was issued', { iat: null }, 'times'],
    ['has two audiences', { aud: ['sts.amazonaws.com', 'another'] }, 'audience'],
    ['has no audience', { aud: null }, 'audience'],
    ['has an azp that is no text', { azp: 1 }, 'audience'],
    ['has no subject', { sub: null }, 'subject'],
    ['has a subject shorter than AWS takes', { sub: 'short' }, 'subject'],
    ['has a subject longer than AWS takes', { sub: 'x'.repeat(256) }, 'subject'],
    ['asks for tags in a form AWS does not take', { 'https://aws.amazon.com/tags': 'x' }, 'session tags'],
  ])('that %s is refused', async (_what, claims, check) => {
    const report = await examined({ claims });
    expect(failing(report)).toContain(check);
    expect(findingOf(report, check)).toHaveProperty('fix');
  });

  it('signed by an algorithm that AWS does not know is refused', async () => {
    const issuer = new FakePublicIssuer();
    const token = await issuer.token();
    const eddsa = { ...token, header: { ...token.header, alg: 'EdDSA' } };
    expect(failing(await examined({ issuer, patient: { token: eddsa } }))).toEqual(['algorithm', 'signature']);
  });

  it('in a file that ends with a line break is refused where that was seen, and doubted elsewhere', async () => {
    expect(outcomes(await examined({ fileHasTail: true }))['token file']).toBe('unseen');
    const compatible = await examined({ fileHasTail: true, compatible: true });
    expect(failing(compatible)).toContain('token file');
  });

  it('with another algorithm than RSA is left to an STS like AWS’s to judge', async () => {
    const report = await examined({ compatible: true });
    expect(outcomes(report).algorithm).toBe('unseen');
  });
});

describe('the issuer', () => {
  it.each([
    [`${ISSUER}/`, 'a slash at the end'],
    ['https://CI.example.com', 'case'],
    ['http://ci.example.com', 'http and https'],
  ])('that should be %s differs only in %s', async (issuerUrl, difference) => {
    const finding = findingOf(await examined({ patient: { issuerUrl } }), 'issuer');
    expect(finding).toMatchObject({
      outcome: 'wrong',
      detail: expect.stringContaining(`differ only in ${difference}`),
    });
  });

  it('that only the token names is not asked', async () => {
    const issuer = new FakePublicIssuer();
    const report = await examined({ issuer, claims: { iss: 'https://elsewhere.example' } });
    expect(failing(report)).toEqual(['issuer', 'trust policy']);
    expect([outcomes(report).discovery, issuer.asked]).toEqual(['unseen', []]);
  });

  it.each([
    ['http://ci.example.com', 'http'],
    ['https://ci.example.com:8443', 'a port'],
    ['https://ci.example.com:443', 'a port'],
    ['https://ci.example.com?x=1', 'a query'],
    ['https://user@ci.example.com', 'user'],
    ['ci.example.com', 'no URL'],
  ])('%s is of no form that AWS takes', async (iss, why) => {
    const finding = findingOf(await examined({ claims: { iss } }), 'issuer form');
    expect(finding).toMatchObject({ outcome: 'wrong', detail: expect.stringContaining(why) });
  });

  it('at a private address is out of AWS’s reach, and perhaps not out of another STS’s', async () => {
    const issuer = new FakePublicIssuer();
    issuer.network = 'private';
    expect(failing(await examined({ issuer }))).toEqual(['reachable']);
    const compatible = await examined({ issuer, compatible: true });
    expect(outcomes(compatible).reachable).toBe('unseen');
  });

  it.each<[string, (issuer: FakePublicIssuer) => void, string]>([
    ['answers with another status', (issuer) => issuer.answerDiscovery({ status: 503 }), 'discovery'],
    ['answers with a redirect', (issuer) => issuer.answerDiscovery({ failure: 'redirect_refused' }), 'discovery'],
    ['answers with no object', (issuer) => issuer.answerDiscovery([]), 'discovery'],
    ['calls itself by another name', (issuer) => issuer.discover({ issuer: `${ISSUER}/` }), 'discovery'],
    ['names no key set', (issuer) => issuer.discover({ jwks_uri: 1 }), 'key set'],
    ['has no keys', (issuer) => void issuer.answers.set(JWKS_URI, {}), 'key set'],
    ['publishes a key that nobody can use', (issuer) => void issuer.answers.set(JWKS_URI, { keys: [{}] }), 'key set'],
    ['publishes other keys', (issuer) => void issuer.answers.set(JWKS_URI, { keys: [] }), 'signature'],
    [
      'publishes another key under the same id',
      (issuer) => void issuer.answers.set(JWKS_URI, new FakePublicIssuer().keys.publicJwks()),
      'signature',
    ],
  ])('that %s is found out', async (_what, change, check) => {
    const issuer = new FakePublicIssuer();
    change(issuer);
    const report = await examined({ issuer });
    expect(failing(report)).toContain(check);
    expect(report.verdict).toBe('disagree');
  });

  it('without certificates is none for an STS that reads keys from x5c', async () => {
    expect(failing(await examined({ compatible: true }))).toEqual(['certificates']);
  });
});

describe('the trust policy', () => {
  it('that just misses says how, in the words of policy explain, and what to write', async () => {
    const report = await examined({ claims: { sub: String(CLAIMS.sub).replace('web', 'Web') } });
    const finding = findingOf(report, 'trust policy');
    expect(finding).toMatchObject({
      outcome: 'wrong',
      detail: 'ci.example.com:sub does not hold: differs only in case (trust.json:1)',
      fix: 'write owner:acme@42:pipeline:Web@7:environment:production (trust.json:1)',
    });
  });

  it('must allow tagging for a token with session tags', async () => {
    const claims = { 'https://aws.amazon.com/tags': { principal_tags: { pipeline: ['7'] } } };
    const report = await examined({ claims });
    expect(failing(report)).toEqual(['action']);
    expect(outcomes(report)).toMatchObject({ 'session tags': 'ok', 'trust policy': 'ok' });
    const Action = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'];
    const tagging = await examined({ claims, patient: { policies: policies({ ...STATEMENT, Action }) } });
    expect(tagging.verdict).toBe('agree');
  });

  it('without a condition on the audience leaves it to the provider, which cannot be seen', async () => {
    const Condition = { StringEquals: { 'ci.example.com:sub': CLAIMS.sub } };
    const report = await examined({ patient: { policies: policies({ ...STATEMENT, Condition }) } });
    expect(outcomes(report)['aud condition']).toBe('unseen');
    expect(outcomes(await examined())).not.toHaveProperty('aud condition');
  });

  it('on the session’s name is judged by the name that is given', async () => {
    const Condition = { StringEquals: { 'sts:RoleSessionName': 'job-1' } };
    const patient = { policies: policies({ ...STATEMENT, Condition }) };
    expect(failing(await examined({ patient }))).toEqual(['trust policy']);
    expect((await examined({ patient: { ...patient, sessionName: 'job-1' } })).verdict).toBe('agree');
  });

  it.each([
    [{ Role: { MaxSessionDuration: 900 } }, 'wrong'],
    [{ Roles: [{ MaxSessionDuration: 43_200 }] }, 'ok'],
    [{}, 'unseen'],
  ] as const)('of a role with %j: a session is %s', async (role, outcome) => {
    expect(outcomes(await examined({ role })).session).toBe(outcome);
  });
});
