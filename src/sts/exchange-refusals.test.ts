// What the verifier refuses, through the whole pipeline: the reason, what is durable, and what is fetched.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeKey, noAnswer } from '../../test/fakes/fake-job-issuer.ts';
import {
  MemoryPolicies,
  PUBLISH,
  PUBLISH_TEXT,
  STS_URL,
  type StsAnswer,
  StsWorld,
} from '../../test/fakes/sts-world.ts';
import type { JsonValue } from '../base/core/json.ts';
import { REASONS, type Reason } from '../base/core/reasons.ts';
import { MAX_DURABLE_REPEATS, REPEAT_WINDOW_MS } from './repeated-refusals.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start();
});
afterEach(() => world.close());

async function restart(...options: Parameters<typeof StsWorld.start>): Promise<void> {
  await world.close();
  world = await StsWorld.start(...options);
}

const granted = (): number => world.store.sessions.size;
/** The reason that the operator reads, by the id that the caller got. */
async function reasonOf(refusal: StsAnswer): Promise<unknown> {
  const shown = await world.call(`GET /admin/v1/decisions/${refusal.json.decision_id}`, { as: 'root' });
  return (shown.json.decision as { reason?: unknown } | undefined)?.reason;
}

type Overrides = Readonly<Record<string, JsonValue | undefined>>;
const now = 1_800_000_000;

/** Refusals of what a token says that is authentic and meant for us: durable, with the whole trace. */
const durable: readonly [string, Overrides, Reason][] = [
  ['no subject', { sub: undefined }, 'claim_missing'],
  ['an empty subject', { sub: '' }, 'claim_malformed'],
  ['a subject that is a list', { sub: ['owner:acme@42'] }, 'claim_malformed'],
  ['a subject with a line end', { sub: 'owner:acme\nadmin' }, 'claim_malformed'],
  ['a subject with NUL', { sub: 'owner:acme\0admin' }, 'claim_malformed'],
  ['an id with NUL', { jti: 'a\0b' }, 'claim_malformed'],
  ['a job with NUL', { job_id: 'J1\0' }, 'claim_malformed'],
  ['a subject beyond 255 characters', { sub: 'x'.repeat(256) }, 'claim_malformed'],
  ['an id that is a number', { jti: 7 }, 'claim_malformed'],
  ['an id of 10 KiB', { jti: 'x'.repeat(10_000) }, 'claim_malformed'],
  ['no job', { job_id: undefined }, 'claim_missing'],
  ['a job that is a number', { job_id: 1 }, 'claim_malformed'],
  ['a deadline that is a number', { job_deadline: now + 60 }, 'claim_malformed'],
  ['a deadline that is a date', { job_deadline: '2027-01-15' }, 'claim_malformed'],
  ['a deadline that has come', { job_deadline: String(now) }, 'lifetime_exhausted'],
  ['a claim that the role does not want', { ref: 'refs/heads/Main' }, 'no_rule_matched'],
  ['a claim of another type', { owner_id: 42 }, 'no_rule_matched'],
];

/** Refusals of authentic tokens that are for others or for other times: anyone has some, so they are in the ring only. */
const useless: readonly [string, Overrides, Reason][] = [
  ['another party in azp', { azp: 'https://other.example.com' }, 'audience_mismatch'],
  ['another audience', { aud: 'https://other.example.com' }, 'audience_mismatch'],
  ['several audiences', { aud: [STS_URL, 'https://other.example.com'] }, 'audience_mismatch'],
  ['no audience', { aud: undefined }, 'claim_missing'],
  ['an audience of another type', { aud: 1 }, 'claim_malformed'],
  ['an expiry long past', { exp: now - 31, iat: now - 600, nbf: now - 600 }, 'token_expired'],
  ['a start in the future', { nbf: now + 31 }, 'token_not_yet_valid'],
  ['a longer life than allowed', { exp: now + 86_401 }, 'token_lifetime_too_long'],
  ['no issue time', { iat: undefined }, 'claim_missing'],
  ['an expiry that is text', { exp: '1900000000' }, 'claim_malformed'],
];

/** Refusals before the signature was verified: in the ring only. */
const fleeting: readonly [string, () => Promise<string>, Reason][] = [
  ['garbage', async () => 'garbage', 'token_malformed'],
  ['more than 16 KiB', async () => 'a'.repeat(16 * 1024 + 1), 'token_too_large'],
  ['a token of another kind', () => world.issuer.idToken({}, { typ: 'at+jwt' }), 'token_type_refused'],
  ['a security event', () => world.issuer.idToken({}, { typ: 'secevent+jwt' }), 'token_type_refused'],
  ['no issuer', () => world.issuer.idToken({ iss: undefined }), 'claim_missing'],
  ['a list of issuers', () => world.issuer.idToken({ iss: [world.issuer.issuer] }), 'claim_malformed'],
  ['an unknown key', () => world.issuer.idToken({}, { key: fakeKey('key-9') }), 'key_unknown'],
  ['the signature of another key', () => world.issuer.idToken({}, { key: fakeKey('key-1') }), 'signature_invalid'],
];

describe('a token is refused', () => {
  test.each(durable)('with %s, durably and with its trace', async (_what, overrides, reason) => {
    const response = await world.exchange(await world.issuer.idToken(overrides));
    expect(response.json.reason).toBe(REASONS[reason][0]);
    expect(world.store.decisions).toHaveLength(1);
    expect(world.store.decisions[0]).toMatchObject({ id: response.json.decision_id, outcome: 'refused', reason });
    expect(world.store.decisions[0]?.trace.checks.map((check) => check.check)).toContain('signature');
    expect(granted()).toBe(0);
  });

  test.each(useless)('with %s, with its trace and nothing durable', async (_what, overrides, reason) => {
    const response = await world.exchange(await world.issuer.idToken(overrides));
    expect(response.json.reason).toBe(REASONS[reason][0]);
    const shown = await world.call(`GET /admin/v1/decisions/${response.json.decision_id}`, { as: 'root' });
    expect(shown.json.decision).toMatchObject({ outcome: 'refused', reason });
    expect(JSON.stringify(shown.json.decision)).toContain('"signature"');
    expect([world.store.decisions, granted()]).toEqual([[], 0]);
  });

  test.each(fleeting)('that is or has %s, with an id and nothing durable', async (_what, make, reason) => {
    const response = await world.exchange(await make());
    expect([response.status, response.json.error]).toEqual([400, 'invalid_request']);
    expect(await reasonOf(response)).toBe(reason);
    expect(world.store.decisions).toEqual([]);
  });

  test('durably 20 times within 10 minutes for the same reason, and in the ring after that', async () => {
    const token = await world.issuer.idToken({ ref: 'refs/heads/dev' });
    for (let i = 0; i < MAX_DURABLE_REPEATS; i += 1) await world.exchange(token);
    expect(world.store.decisions).toHaveLength(MAX_DURABLE_REPEATS);
    const beyond = await world.exchange(token);
    expect([beyond.status, await reasonOf(beyond)]).toEqual([400, 'no_rule_matched']);
    expect(world.store.decisions).toHaveLength(MAX_DURABLE_REPEATS);
    const list = await world.call('GET /admin/v1/decisions', { as: 'root' });
    expect(list.json.unverified).toEqual({ no_rule_matched: 1 });
    const shown = await world.call(`GET /admin/v1/decisions/${beyond.json.decision_id}`, { as: 'root' });
    expect(JSON.stringify(shown.json.decision)).toContain('refusal 21 of this token');

    await world.exchange(token, { audience: 'urn:jobpass:role:main/unknown' });
    expect(world.store.decisions).toHaveLength(MAX_DURABLE_REPEATS + 1);
    await world.exchange(await world.issuer.idToken({ ref: 'refs/heads/dev', jti: 'token-2' }));
    expect(world.store.decisions).toHaveLength(MAX_DURABLE_REPEATS + 2);
    world.clock.advanceMs(REPEAT_WINDOW_MS);
    await world.exchange(await world.issuer.idToken({ ref: 'refs/heads/dev' }));
    expect(world.store.decisions).toHaveLength(MAX_DURABLE_REPEATS + 3);
  });

  test('durably 20 times when it has no usable id of its own', async () => {
    const nameless = await world.issuer.idToken({ jti: undefined, ref: 'refs/heads/dev' });
    const other = await world.issuer.idToken({ jti: undefined, ref: 'refs/heads/other' });
    for (let i = 0; i < MAX_DURABLE_REPEATS + 5; i += 1) await world.exchange(nameless);
    await world.exchange(other);
    expect(world.store.decisions).toHaveLength(MAX_DURABLE_REPEATS + 1);
  });

  test('under an algorithm that is not allowed for its issuer', async () => {
    await restart({ registration: { algorithms: ['RS256'] } });
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('algorithm_refused');
  });

  test('by a key whose id another key has', async () => {
    await restart({
      before: (w) => {
        w.issuer.published = [w.issuer.key.publicJwk, { ...fakeKey('x').publicJwk, kid: 'key-1' }];
      },
    });
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('key_unusable');
  });

  test('when its issuer cannot be reached and no keys are left', async () => {
    await restart({ before: (w) => w.issuer.handlers.set('/jwks', () => noAnswer()) });
    const response = await world.exchange(await world.issuer.idToken());
    expect([response.status, response.headers['retry-after']]).toEqual([503, '1']);
    expect(await reasonOf(response)).toBe('issuer_unreachable');
  });

  test.each([
    'https://ci.example.com/',
    'http://ci.example.com',
    'https://CI.example.com',
    'https://ci.example.com:443',
    'https://ci.example.com@evil.test',
    'https://ci.example.com.evil.test',
    'file:///etc/passwd',
    'http://169.254.169.254/latest',
    '',
    '__proto__',
  ])('of an issuer that is not registered, and nothing is fetched: %s', async (iss) => {
    const before = world.issuer.requests.length;
    const response = await world.exchange(await world.issuer.idToken({ iss }));
    expect(await reasonOf(response)).toBe('issuer_unknown');
    expect(world.issuer.requests.length).toBe(before);
  });

  test('when a claim that the permissions mention is missing', async () => {
    const policies = new MemoryPolicies();
    policies.files.set(`${PUBLISH}.yaml`, PUBLISH_TEXT.replace('claims.pipeline_id', 'claims.environment'));
    await restart({ policies });
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('permission_denied');
  });
});
