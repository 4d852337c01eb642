// Permissions and a request in, yes or no out. Pure; nothing is allowed that no statement allows.
import type { Statement } from '../../base/core/permissions.ts';
import { evaluateCondition } from './conditions.ts';
import type { ConditionContext } from './context.ts';
import { permissionContext, type RequestFacts } from './permission-conditions.ts';
import type { CompiledPermissions, CompiledResource, CompiledStatement } from './statements.ts';
import { asciiLower, fillIn, matchesGlob } from './template.ts';

export interface PermissionRequest {
  /** Such as `http:PUT`; compared without regard to ASCII case, as AWS does. */
  readonly action: string;
  /** Compared byte for byte. */
  readonly resource: string;
  /** The session's claims. */
  readonly claims: Readonly<Record<string, string>>;
  /** What conditions may ask about; none of it known when absent. */
  readonly facts?: RequestFacts;
  /**
   * Which statements were found to speak of this action on this resource, kept for the next time that the same is asked: with the
   * same action, resource, claims and tags. Conditions are evaluated anew each time.
   */
  readonly matched?: WeakMap<CompiledStatement, boolean>;
}

export interface PermissionAnswer {
  readonly allow: boolean;
  /** The statement that decided; null when none applied, which is a no. */
  readonly statement: Statement | null;
}

/**
 * Default deny; an explicit deny wins over every allow. A statement applies when one of its actions and one of its resources
 * match and all of its conditions hold. When a resource mentions a claim or tag that the session lacks (or that is empty), what the statement means cannot be known,
 * and the answer is the safe one: an allow statement does not apply at all, a deny statement applies to every resource. The same for a
 * condition that cannot be evaluated.
 */
export function authorize(permissions: CompiledPermissions, request: PermissionRequest): PermissionAnswer {
  const action = asciiLower(request.action);
  let context: ConditionContext | undefined;
  for (const statement of permissions.statements) {
    if (!appliesAsBefore(statement, action, request)) continue;
    if (statement.conditions.length > 0) context ??= permissionContext(request.claims, request.facts ?? {});
    if (context !== undefined && !conditionsHold(statement, context)) continue;
    // Deny statements stand first, so the first that applies decides.
    return { allow: statement.source.effect === 'allow', statement: statement.source };
  }
  return { allow: false, statement: null };
}

function conditionsHold({ conditions, source }: CompiledStatement, context: ConditionContext): boolean {
  return conditions.every((condition) => {
    const { truth } = evaluateCondition(condition, context);
    return truth === 'yes' || (truth === 'unknown' && source.effect === 'deny');
  });
}

/** A match of long patterns with long keys takes a millisecond: too much for what is asked again and again. */
function appliesAsBefore(statement: CompiledStatement, action: string, request: PermissionRequest): boolean {
  const known = request.matched?.get(statement);
  if (known !== undefined) return known;
  const found = applies(statement, action, request);
  request.matched?.set(statement, found);
  return found;
}

function applies(statement: CompiledStatement, action: string, request: PermissionRequest): boolean {
  if (!statement.actions.some((glob) => matchesGlob(glob, action))) return false;
  let hasMatch = false;
  for (const resource of statement.resources) {
    const matched = matchesResource(resource, request);
    if (matched === undefined) return statement.source.effect === 'deny';
    hasMatch ||= matched;
  }
  return hasMatch;
}

/** Undefined when a claim or tag that it mentions is missing. */
function matchesResource(resource: CompiledResource, request: PermissionRequest): boolean | undefined {
  const glob = resource.glob ?? fillIn(resource.template, { claims: request.claims, tags: request.facts?.tags });
  return glob === undefined ? undefined : matchesGlob(glob, request.resource);
}
