import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../test/fakes/property-runs.ts';
import { ISSUER } from '../../test/fakes/roles.ts';
import type { Claims, JsonValue } from '../base/core/json.ts';
import type { Clause, TrustRule } from './clause.ts';
import { decide } from './decide.ts';
import { compilePattern, matchesPattern } from './pattern.ts';
import { buildPolicySet } from './policy-set.ts';
import type { Role } from './role.ts';
import { jobpassTrust } from './trust/jobpass.ts';

const REF = { tenant: 'main', name: 'r' };
const CLAIM_NAMES = ['a', 'b', 'sub', 'fork', 'runner_environment'];
const WANTED = ['x', 'y', 'x*', '**', 'true', 'false', 'local', 'local:*', 'fork:*', 'x/**'];
const VALUES: readonly JsonValue[] = [
  'x',
  'y',
  'xy',
  'x/y',
  'true',
  'false',
  'local',
  'local:x',
  'fork:x',
  true,
  1,
  ['x'],
  null,
];
const ISSUERS = [ISSUER, 'https://other.example.com'];

const wanted = fc.array(fc.constantFrom(...WANTED), { minLength: 1, maxLength: 2 }).map((sources) =>
  sources.flatMap((source) => {
    const pattern = compilePattern(source);
    return pattern.ok ? [pattern.value] : [];
  }),
);
const clauseOn = (names: readonly string[]): fc.Arbitrary<Clause> =>
  fc.record({ claim: fc.constantFrom(...names), wanted, line: fc.constant(1) });
const clauses = fc.uniqueArray(clauseOn(CLAIM_NAMES), { selector: (clause) => clause.claim, maxLength: 4 });
const rule: fc.Arbitrary<TrustRule> = fc.record({ issuer: fc.constantFrom(...ISSUERS), clauses, line: fc.constant(1) });
const rules = fc.array(rule, { minLength: 1, maxLength: 3 });
const claims: fc.Arbitrary<Claims> = fc.dictionary(fc.constantFrom(...CLAIM_NAMES), fc.constantFrom(...VALUES));

const roleWith = (trust: readonly TrustRule[]): Role => ({
  ref: REF,
  file: 'main/r.yaml',
  digest: '',
  trust: trust.map(jobpassTrust),
  session: { gateway: 'g', maxDurationSeconds: 60, singleUse: false },
  permissions: [],
  aws: null,
  gcp: null,
  azure: null,
});
const isAllowed = (trust: readonly TrustRule[], token: Claims): boolean =>
  decide(buildPolicySet([roleWith(trust)]), { role: REF, issuer: ISSUER, claims: token, now: 0 }).allow;

/** The design's words, without an index, an early exit or a trace. */
function naive(trust: readonly TrustRule[], token: Claims): boolean {
  return trust.some((one) => {
    // A wildcard names nobody.
    const plain = one.clauses.filter((clause) => clause.wanted.filter(({ literal }) => literal === null).length === 0);
    const names = new Set(plain.map((clause) => clause.claim));
    const sub = typeof token.sub === 'string' ? token.sub : '';
    const isFork = (token.fork !== undefined && token.fork !== 'false') || sub.startsWith('fork:');
    const runner = token.runner_environment;
    const isLocal =
      (runner !== undefined && (typeof runner !== 'string' || runner === 'local')) || sub.startsWith('local:');
    const held = one.clauses.filter((clause) => {
      const value = token[clause.claim];
      return typeof value === 'string' && clause.wanted.filter((pattern) => matchesPattern(pattern, value)).length > 0;
    });
    return (
      one.issuer === ISSUER &&
      held.length === one.clauses.length &&
      (!isFork || names.has('fork')) &&
      (!isLocal || names.has('runner_environment'))
    );
  });
}

it('decides as a naive evaluator of the design does', () => {
  let allowed = 0;
  fc.assert(
    fc.property(rules, claims, (trust, token) => {
      const answer = isAllowed(trust, token);
      allowed += answer ? 1 : 0;
      expect(answer).toBe(naive(trust, token));
    }),
    { numRuns: propertyRuns() },
  );
  expect(allowed).toBeGreaterThan(40);
});

it('answers the same however much of the trace is asked for', () => {
  fc.assert(
    fc.property(rules, claims, (trust, token) => {
      const set = buildPolicySet([roleWith(trust)]);
      const request = { role: REF, issuer: ISSUER, claims: token, now: 0 };
      const [short, whole] = [decide(set, request), decide(set, request, 'every_clause')];
      expect(whole.allow).toBe(short.allow);
      const heldOf = (decision: typeof short) => decision.trace?.rules.map((rule) => rule.held);
      expect(heldOf(whole)).toEqual(heldOf(short));
      for (const rule of whole.trace?.rules ?? []) {
        expect(rule.held).toBe(rule.clauses.every((clause) => clause.outcome === 'held'));
      }
    }),
    { numRuns: 2000 },
  );
});

it('never allows more after a condition was added', () => {
  let narrowed = 0;
  fc.assert(
    fc.property(rules, claims, clauseOn(['c', 'd', 'a', 'sub']), fc.nat(), (trust, token, added, at) => {
      const changed = trust.map((one, index) =>
        index === at % trust.length ? { ...one, clauses: [...one.clauses, added] } : one,
      );
      narrowed += isAllowed(trust, token) && !isAllowed(changed, token) ? 1 : 0;
      expect(isAllowed(trust, token) || !isAllowed(changed, token)).toBe(true);
    }),
    { numRuns: 5000 },
  );
  expect(narrowed).toBeGreaterThan(20);
});

it('lets a condition on fork or runner_environment add only the tokens it names', () => {
  // These two take the place of a safe default, so they may let in what the default kept out: what they match themselves.
  fc.assert(
    fc.property(rules, claims, clauseOn(['fork', 'runner_environment']), (trust, token, added) => {
      fc.pre(trust.every((one) => one.clauses.every((clause) => clause.claim !== added.claim)));
      const changed = trust.map((one) => ({ ...one, clauses: [...one.clauses, added] }));
      const value = token[added.claim];
      const names = typeof value === 'string' && added.wanted.some((pattern) => matchesPattern(pattern, value));
      expect(!isAllowed(changed, token) || names).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

it('answers “could any token pass?” with no only when none does', () => {
  fc.assert(
    fc.property(rules, claims, claims, (trust, token, other) => {
      const decision = decide(buildPolicySet([roleWith(trust)]), { role: REF, issuer: ISSUER, claims: token, now: 0 });
      if (decision.trace?.satisfiable === 'no') expect(isAllowed(trust, other)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});
