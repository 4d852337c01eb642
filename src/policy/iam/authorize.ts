// Permissions and a request in, yes or no out. Pure; nothing is allowed that no statement allows.
import type { Statement } from '../../base/core/permissions.ts';
import type { CompiledPermissions, CompiledResource, CompiledStatement } from './statements.ts';
import { asciiLower, fillIn, matchesGlob } from './template.ts';

export interface PermissionRequest {
  /** Such as `http:PUT`; compared without regard to ASCII case, as AWS does. */
  readonly action: string;
  /** Compared byte for byte. */
  readonly resource: string;
  /** The session's claims. */
  readonly claims: Readonly<Record<string, string>>;
}

export interface PermissionAnswer {
  readonly allow: boolean;
  /** The statement that decided; null when none applied, which is a no. */
  readonly statement: Statement | null;
}

/**
 * Default deny; an explicit deny wins over every allow. A statement applies when one of its actions and one of its resources
 * match. When a resource mentions a claim that the session lacks (or that is empty), what the statement means cannot be known,
 * and the answer is the safe one: an allow statement does not apply at all, a deny statement applies to every resource.
 */
export function authorize(permissions: CompiledPermissions, request: PermissionRequest): PermissionAnswer {
  const action = asciiLower(request.action);
  for (const statement of permissions.statements) {
    if (!applies(statement, action, request)) continue;
    // Deny statements stand first, so the first that applies decides.
    return { allow: statement.source.effect === 'allow', statement: statement.source };
  }
  return { allow: false, statement: null };
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

/** Undefined when a claim that it mentions is missing. */
function matchesResource(resource: CompiledResource, request: PermissionRequest): boolean | undefined {
  const glob = resource.glob ?? fillIn(resource.template, request.claims);
  return glob === undefined ? undefined : matchesGlob(glob, request.resource);
}
