// One decision path: every case goes through all four wires, which must come to the same decision for the same internal reason, on
// the same evidence, and tell it in the right words of their own protocol.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/base/core/json.ts';
import type { Reason } from '../../src/base/core/reasons.ts';
import { StsWorld, type StsWorldOptions } from '../fakes/sts-world.ts';
import { expectedAnswers } from './four-wires/answers.ts';
import { CLAIMS, folderOf, POLICIES, type PolicyCase } from './four-wires/policies.ts';
import { TOKENS, type TokenCase } from './four-wires/tokens.ts';
import { UNBOUND, WEATHER } from './four-wires/weather.ts';
import { WIRES, type WireAdapter } from './four-wires/wires.ts';

type Outcome = 'allow' | Reason;

/** A wire and an STS of its own: what one wire did must not be what another finds. */
interface Side {
  readonly adapter: WireAdapter;
  readonly world: StsWorld;
}

const startSides = (options: () => StsWorldOptions): Promise<Side[]> =>
  Promise.all(WIRES.map(async (adapter) => ({ adapter, world: await StsWorld.start(options()) })));

const closeSides = (sides: readonly Side[]) => Promise.all(sides.map(({ world }) => world.close()));

/** One case on one wire: its answer is the wire's own; what comes back, the decision, must be everybody's. */
async function decide({ adapter, world }: Side, token: string, outcome: Outcome) {
  const { ask, wire } = adapter;
  const answer = await ask(world, token);
  const [status, code] = expectedAnswers(outcome)[wire];
  expect([wire, answer.status, answer.code, answer.granted]).toEqual([wire, status, code, outcome === 'allow']);
  const id = answer.decisionId ?? world.store.decisions.at(-1)?.id;
  const shown = await world.call(`GET /admin/v1/decisions/${id}`, { as: 'root' });
  const decision = shown.json.decision as JsonObject;
  expect(decision.wire).toBe(wire);
  expect(decision.sessionId !== null).toBe(outcome === 'allow');
  const { lifetime, role } = decision.trace as { lifetime?: JsonObject; role?: JsonObject };
  return {
    outcome: decision.outcome,
    reason: decision.reason,
    subject: decision.subject,
    rules: role?.rules,
    seconds: lifetime?.givenSeconds,
  };
}

/** Asks on every wire, and holds them to each other. */
async function decideOnAll(sides: readonly Side[], make: (world: StsWorld) => Promise<string>, outcome: Outcome) {
  const decisions = await Promise.all(sides.map(async (side) => decide(side, await make(side.world), outcome)));
  const [first] = decisions;
  const reason = outcome === 'allow' ? null : outcome;
  expect(first).toMatchObject({ outcome: outcome === 'allow' ? 'granted' : 'refused', reason });
  for (const other of decisions) expect(other).toEqual(first);
}

const outcomeOf = (policy: PolicyCase, token: TokenCase): Outcome => {
  if (token.verification !== 'verified') return token.verification;
  return policy.trust === null ? 'role_unknown' : (policy.verdicts[token.name] ?? 'no_rule_matched');
};

const TABLE = POLICIES.map((policy) => ({
  policy,
  cases: TOKENS.map((token) => ({ token, outcome: outcomeOf(policy, token) })),
}));

describe.each(TABLE)('by $policy.name', ({ cases, policy }) => {
  let sides: readonly Side[] = [];
  beforeAll(async () => {
    sides = await startSides(() => ({ ...UNBOUND, policies: folderOf(policy) }));
  });
  afterAll(() => closeSides(sides));

  test.each(cases)('a token $token.name: $outcome', ({ outcome, token }) =>
    decideOnAll(sides, (world) => token.make(world, `token-${TOKENS.indexOf(token)}`), outcome),
  );
});

describe('when', () => {
  test.each(WEATHER)('$name: $outcome', async ({ options, outcome, session, whileRunning }) => {
    const role = { trust: CLAIMS, ...(session === undefined ? {} : { session }) };
    const sides = await startSides(() => ({ ...options, policies: folderOf(role) }));
    for (const { adapter, world } of sides) await whileRunning?.(world, adapter, await world.issuer.idToken());
    await decideOnAll(sides, (world) => world.issuer.idToken(), outcome);
    await closeSides(sides);
  });
});

test('the table is what it says: 418 cases, each on four wires', () => {
  const outcomes = TABLE.flatMap(({ cases }) => cases.map(({ outcome }) => outcome));
  const names = TOKENS.map(({ name }) => name);
  expect(WIRES.map(({ wire }) => wire)).toEqual(['rfc8693', 'aws', 'gcp', 'azure']);
  expect(outcomes.length + WEATHER.length).toBe(418);
  expect(outcomes.filter((outcome) => outcome === 'allow').length).toBeGreaterThan(50);
  expect(new Set(names).size).toBe(TOKENS.length);
  // A verdict on a token that there is not would be one that nobody checks.
  for (const { verdicts } of POLICIES) expect(names).toEqual(expect.arrayContaining(Object.keys(verdicts)));
});
