// The library entry `jobpass/policy`: reading, deciding, explaining and testing policies, as the server and the commands do.

export {
  type ClauseTrace,
  formatRoleRef,
  type NearMiss,
  type RoleRef,
  type RoleTrace,
  type RuleTrace,
} from '../base/core/decision.ts';
export type { Claims, JsonObject, JsonValue } from '../base/core/json.ts';
export type { Reason } from '../base/core/reasons.ts';
export type { Err, Ok, Result } from '../base/core/result.ts';
export { formatProblems, type Problem } from '../base/document/problem.ts';
export { claimOfProvider, EVENT_NAMES, PROVIDERS, providerOf } from '../base/providers/catalogue.ts';
export { type EventOptions, type EventProblem, type EventToken, eventToken } from '../base/providers/event-token.ts';
export type { EventTemplate, Provider, ProviderClaim, Setter } from '../base/providers/provider.ts';
export { decide, type PolicyDecision, type PolicyRequest } from './decide.ts';
export { type Explanation, explain, type FirstFailure, type Fix, type RoleExplanation } from './explain.ts';
export { type NearestRole, nearestRole } from './nearest.ts';
export { buildPolicySet, type PolicySet } from './policy-set.ts';
export { type ReadPolicyOptions, readPolicy } from './read-policy.ts';
export type { PolicySource, ReadRoleOptions } from './readers/jobpass.ts';
export type { ReadFile } from './readers/jobpass-trust.ts';
export type { Role } from './role.ts';
export { type ClauseCoverage, type PolicyCoverage, policyCoverage } from './test/coverage.ts';
export type { PresentedToken } from './test/presented-token.ts';
export { type DecisiveClause, type PolicyTestResult, runPolicyTests } from './test/run.ts';
export { type PolicyTest, type PolicyTestFile, readPolicyTests, type TestFileOptions } from './test/test-file.ts';
export type { Dialect, Reach, SessionAttributes, TokenView, Trust, Verdict } from './trust/trust.ts';
