// The words of a decision: what was asked of whom, clause by clause, and what came out. Deciding is policy's business.
import type { JsonValue } from './json.ts';

/** A role is always named with its tenant; every lookup key begins with the tenant. */
export interface RoleRef {
  readonly tenant: string;
  readonly name: string;
}

/** `main/publish-web`. */
export const formatRoleRef = (role: RoleRef): string => `${role.tenant}/${role.name}`;

/** Names of tenants, roles and groups of gateways: they stand in URNs, paths and logs. */
export const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Reads `tenant/name`; undefined for anything else. */
export function parseRoleRef(text: string): RoleRef | undefined {
  const [tenant = '', name = '', ...more] = text.split('/');
  return NAME.test(tenant) && NAME.test(name) && more.length === 0 ? { tenant, name } : undefined;
}

/** How a presented value just missed a wanted one. */
export type NearMiss = 'case' | 'type' | 'space';

/** One clause of a trust rule as it was evaluated. */
export interface ClauseTrace {
  /** `issuer` or the claim's name. */
  readonly subject: string;
  /** The wanted values as written in the policy; any of them suffices. */
  readonly wanted: readonly string[];
  /** The presented value; absent when the token does not carry the claim or the clause was not reached. */
  readonly presented?: JsonValue;
  readonly outcome: 'held' | 'failed' | 'not_reached';
  readonly nearMiss?: NearMiss;
  /** The operator as the dialect spells it, such as `ForAnyValue:StringLike` or `when`; absent for plain equality and patterns. */
  readonly operator?: string;
  /** Why the clause could not be evaluated: it failed then, and in a deny rule it held. Both refuse. */
  readonly problem?: string;
  /** Line in the policy file, from 1. */
  readonly line: number;
}

/** One trust rule; it holds when every clause held. */
export interface RuleTrace {
  /** Absent: a rule that allows. A deny rule that held refuses whatever others say. */
  readonly effect?: 'allow' | 'deny';
  /** The file that the rule stands in, where that is not the role's own: its lines count there. */
  readonly file?: string;
  readonly line: number;
  readonly held: boolean;
  readonly clauses: readonly ClauseTrace[];
}

/** The role as it stood when it was decided on. */
export interface RoleTrace {
  readonly file: string;
  readonly policySet: string;
  readonly rules: readonly RuleTrace[];
  /** Whether any token of the presented issuer could pass. */
  readonly satisfiable: 'yes' | 'no' | 'unknown';
}

/** A check before the policy: signature, audience, times, job status. */
export interface CheckTrace {
  readonly check: string;
  readonly outcome: 'held' | 'failed';
  readonly detail: string;
}

/** Why the session lives as long as it does; absent bounds did not apply. All in seconds. */
export interface LifetimeTrace {
  readonly askedSeconds?: number;
  readonly roleSeconds: number;
  readonly ceilingSeconds: number;
  readonly issuerSeconds?: number;
  readonly untilDeadlineSeconds?: number;
  /** Of a session that came of another one. */
  readonly untilParentSeconds?: number;
  readonly givenSeconds: number;
  readonly boundBy: 'asked' | 'role' | 'ceiling' | 'issuer' | 'deadline' | 'parent';
  /** What so short a life means to the wire's clients. */
  readonly note?: string;
}

/** What a session is besides its role. */
export interface SessionTrace {
  /** What the caller called it; absent on wires that have no such name. */
  readonly name?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceIdentity: string | null;
  /** Whether a session policy narrows the role's permissions. */
  readonly narrowed: boolean;
}

/** Everything that an operator may read of a decision. No token, no secret. */
export interface Trace {
  readonly checks: readonly CheckTrace[];
  readonly role?: RoleTrace;
  readonly lifetime?: LifetimeTrace;
  /** Of a grant whose session is more than its role. */
  readonly session?: SessionTrace;
  /** False when the STS cannot learn that the job ended: the session dies by its short expiry alone. */
  readonly jobBound: boolean;
}
