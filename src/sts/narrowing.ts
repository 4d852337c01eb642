// What a request makes of its role: the session policy that narrows it, and the resources it must be for. Nothing here widens.
import type { Statement } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { quote } from '../base/json/quote.ts';
import { withinReach } from '../policy/iam/reach.ts';
import type { Role } from '../policy/role.ts';
import type { StsSettings } from './settings.ts';

/** How a request narrows; nothing of it: not at all. */
export interface Narrowing {
  /** An inline session policy; null or absent: none. Precondition: readSessionPolicy made it. */
  readonly sessionPolicy?: readonly Statement[] | null;
  /** Named session policies, by their ARNs; what is allowed is the union of them and `sessionPolicy`. */
  readonly policyArns?: readonly string[];
  /** An OAuth scope, on wires without session policies. Precondition: readScope made it. */
  readonly scope?: readonly Statement[];
  /** Resource identifiers (RFC 8693 §2.1) that the session must be good for, each of them. */
  readonly resources?: readonly string[];
}

export interface NarrowingDeps {
  readonly awsPolicies: StsSettings['awsPolicies'];
  /** The groups of gateways by the URL that is their resource identifier. */
  readonly resources: ReadonlyMap<string, string>;
}

/** A role that trusts the token, and what its permissions are filled in with. */
export interface Narrowed {
  readonly role: Role;
  readonly claims: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The session policy of a granted role; null: the role alone decides. Only asked once trust held, so that nobody else learns
 * which policies, gateways and permissions there are. Failures: `resource_unknown`, `scope_exceeded`, `session_policy_malformed`.
 */
export function narrow(
  deps: NarrowingDeps,
  granted: Narrowed,
  asked: Narrowing,
): Result<readonly Statement[] | null, Failure> {
  const { role } = granted;
  for (const resource of asked.resources ?? []) {
    if (deps.resources.get(resource) !== role.session.gateway) {
      return err(failure('resource_unknown', `no gateway of group ${role.session.gateway} is ${quote(resource)}`));
    }
  }
  return asked.scope === undefined ? policyOf(deps, role.ref.tenant, asked) : scopeWithin(granted, asked);
}

/** What of the scope the role can give; a scope of nothing is refused, because the session could do nothing. */
function scopeWithin(
  { claims, role, tags }: Narrowed,
  { policyArns = [], scope = [], sessionPolicy = null }: Narrowing,
): Result<readonly Statement[], Failure> {
  // Both must hold, and statements that are put together would allow what either does.
  if (sessionPolicy !== null || policyArns.length > 0) throw new TypeError('a scope beside a session policy');
  const within = withinReach(scope, role.permissions, { claims, tags });
  return within.length > 0 ? ok(within) : err(failure('scope_exceeded', 'the role gives nothing of the asked scope'));
}

/** The union of the inline and the named policies; null when there are none. */
function policyOf(
  { awsPolicies }: NarrowingDeps,
  tenant: string,
  { policyArns = [], sessionPolicy = null }: Narrowing,
): Result<readonly Statement[] | null, Failure> {
  if (policyArns.length === 0) return ok(sessionPolicy);
  const statements = [...(sessionPolicy ?? [])];
  for (const arn of policyArns) {
    const named = awsPolicies.get(tenant)?.get(arn);
    if (named === undefined) {
      return err(failure('session_policy_malformed', `tenant ${tenant} has no policy ${JSON.stringify(arn)}`));
    }
    statements.push(...named);
  }
  return ok(statements);
}
