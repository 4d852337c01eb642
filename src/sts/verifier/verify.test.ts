// Only the verifier makes a VerifiedToken, and only from one a session is opened.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StsWorld } from '../../../test/fakes/sts-world.ts';
import { momentOf } from '../../base/ports/clock.ts';
import { openSession } from '../sessions.ts';
import { FeedAges } from './feed-ages.ts';
import { introspectOver } from './introspect.ts';
import { JwksCache } from './jwks-cache.ts';
import { trustedIssuers } from './trusted-issuers.ts';
import { type VerifiedToken, type VerifierDeps, verifiedFacts, verifyToken } from './verify.ts';

let world: StsWorld;
let deps: VerifierDeps;
let ages: FeedAges;
beforeEach(() => {
  world = new StsWorld();
  const { clock, issuer, log, store } = world;
  const registration = issuer.registration();
  ages = new FeedAges([issuer.issuer], clock);
  deps = {
    issuers: trustedIssuers([registration]),
    keys: new JwksCache({ issuers: [registration], fetch: issuer.fetch, clock, log }),
    store,
    ages,
    introspect: introspectOver(issuer.fetch, () => null),
    clock,
    clockSkewSeconds: 30,
  };
});
afterEach(() => world.close());

async function verified(): Promise<VerifiedToken> {
  const verification = await verifyToken(deps, await world.issuer.idToken());
  if (!verification.ok) throw new Error(verification.failure.detail);
  return verification.token;
}

const grant = {
  decisionId: 'D1',
  sessionId: 'S1',
  role: { tenant: 'main', name: 'publish-web' },
  group: 'artifacts',
  now: 1_800_000_000,
  lifetimeSeconds: 60,
  claims: {},
  tags: {},
  sourceIdentity: null,
  name: null,
  policy: null,
  federation: null,
  parentId: null,
};

describe('a VerifiedToken', () => {
  test('opens a session that says whose it is', async () => {
    expect(openSession(await verified(), grant)).toMatchObject({ id: 'S1', jobId: 'J1', expiresAt: 1_800_000_060 });
  });

  test('cannot be made from outside, not even through the constructor of one', async () => {
    const token = await verified();
    const facts = verifiedFacts(token);
    const Constructor = token.constructor as new (...args: unknown[]) => VerifiedToken;
    expect(() => new Constructor(facts)).toThrow(TypeError);
    expect(() => new Constructor(Symbol('verified'), facts)).toThrow(TypeError);
  });

  test('cannot be forged by shape or prototype', async () => {
    const token = await verified();
    const lookalikes = [{ ...token }, Object.create(token), Object.create(Object.getPrototypeOf(token)), {}];
    for (const lookalike of lookalikes) expect(() => openSession(lookalike as VerifiedToken, grant)).toThrow(TypeError);
  });
});

describe('the job behind a token', () => {
  test('is taken to run on the word of a fresh feed, without asking', async () => {
    ages.heard(world.issuer.issuer, momentOf(world.clock));
    await verified();
    expect(world.issuer.requests).not.toContain('POST /v1/introspect');
  });

  test('is asked about when the feed is older than ten seconds', async () => {
    ages.heard(world.issuer.issuer, momentOf(world.clock));
    world.clock.advanceMs(10_001);
    await verified();
    expect(world.issuer.requests).toContain('POST /v1/introspect');
  });

  test('is not taken to run because the wall clock was set back', async () => {
    ages.heard(world.issuer.issuer, momentOf(world.clock));
    world.clock.advanceMs(10_001);
    world.clock.stepWallMs(-10_001);
    await verified();
    expect(world.issuer.requests).toContain('POST /v1/introspect');
  });
});

describe('a token for an audience that the registration does not have', () => {
  const OF_A_WIRE = 'api://of-a-wire';
  const verify = async (audiences?: readonly string[]) =>
    verifyToken(deps, await world.issuer.idToken({ aud: OF_A_WIRE }), audiences);

  test('is for others, unless the request brings the audience with it', async () => {
    expect(await verify()).toMatchObject({ failure: { reason: 'audience_mismatch' }, isMeantForUs: false });
    expect(await verify(['api://of-another-wire'])).toMatchObject({ failure: { reason: 'audience_mismatch' } });
  });

  test('is refused while the issuer would not tell of its job’s end, also by introspection', async () => {
    ages.heard(world.issuer.issuer, momentOf(world.clock), ['https://sts.example.com']);
    const refused = await verify([OF_A_WIRE]);
    expect(refused).toMatchObject({ failure: { reason: 'job_status_unknown' }, isMeantForUs: true });
    expect(world.issuer.requests).not.toContain('POST /v1/introspect');
    expect([...ages.reliedOn(world.issuer.issuer)]).toEqual([]);
  });

  test('is taken when the feed covers it, which it has to from then on', async () => {
    ages.heard(world.issuer.issuer, momentOf(world.clock), [OF_A_WIRE]);
    expect(await verify([OF_A_WIRE])).toMatchObject({ ok: true });
    expect([...ages.reliedOn(world.issuer.issuer)]).toEqual([OF_A_WIRE]);
  });

  test('is taken of an issuer that tells of no jobs', async () => {
    const registration = world.issuer.registration({ jobStatus: { kind: 'none' } });
    deps = { ...deps, issuers: trustedIssuers([registration]) };
    expect(await verify([OF_A_WIRE])).toMatchObject({ ok: true });
  });
});

test('an issuer without audience or algorithm, or registered twice, is refused before anything starts', () => {
  const good = world.issuer.registration();
  for (const bad of [[good, good], [{ ...good, audiences: [] }], [{ ...good, algorithms: [] }]]) {
    expect(() => trustedIssuers(bad)).toThrow(expect.objectContaining({ code: 'ERR_ISSUER_REGISTRATION' }));
  }
});

test('an issuer whose keys rotated a moment ago is asked once more, and its token accepted', async () => {
  await verified();
  const rotated = world.issuer.key;
  world.issuer.published = [{ ...rotated.publicJwk, kid: 'new-key' }];
  const signer = { ...rotated.signer, kid: 'new-key' };
  const verification = await verifyToken(deps, await world.issuer.idToken({}, { key: { ...rotated, signer } }));
  expect(verification.ok).toBe(true);
});
