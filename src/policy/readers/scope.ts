// Reads OAuth scopes (RFC 6749 §3.3) that narrow a session into permission statements, and tells them again. It grants nothing;
// a scope never does.
import type { Statement } from '../../base/core/permissions.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseAction, parseResource } from '../iam/statements.ts';

/** As AWS bounds session policies; every access token of the session carries them. */
const MAX_SCOPE_CHARS = 2048;
const MAX_SCOPES = 20;

/** RFC 6749 §3.3: scope-token. Neither a double quote nor a backslash is among its characters. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** An action has one colon; what follows a second one is the resource. */
const PARTS = /^([^:]*:[^:]*)(?::(.+))?$/;

/** What `ACTION` alone stands for, by the action's kind. */
const ALL_OF: Readonly<Record<string, string>> = { s3: 'arn:aws:s3:::*', http: 'arn:jobpass:http:::*' };

/**
 * The statements of a scope: `ACTION` or `ACTION:RESOURCE`, patterns as in a role's permissions but without variables, at most 20
 * apart by one space each and 2,048 characters. The same one twice counts once. Failure: `scope_malformed`,
 * whose detail quotes nothing of it.
 */
export function readScope(scope: string): Result<readonly Statement[], Failure> {
  if (scope.length > MAX_SCOPE_CHARS) return malformed(`wanted at most ${MAX_SCOPE_CHARS} characters`);
  const texts = [...new Set(scope.split(' '))];
  if (texts.length > MAX_SCOPES) return malformed(`wanted at most ${MAX_SCOPES} scopes`);
  const statements: Statement[] = [];
  for (const text of texts) {
    const statement = readOne(text, statements.length + 1);
    if (typeof statement === 'string') return malformed(`scope ${statements.length + 1}: ${statement}`);
    statements.push(statement);
  }
  return ok(statements);
}

/** The statement of one scope, or what is wrong with it. A scope's number stands for its line: what is sent has none. */
function readOne(text: string, line: number): Statement | string {
  const [, action = '', named] = SCOPE_TOKEN.test(text) ? (PARTS.exec(text) ?? []) : [];
  const all = allOf(action);
  const resource = named ?? all;
  if (resource === undefined || all === undefined) return 'wanted ACTION or ACTION:RESOURCE, such as s3:GetObject';
  // A scope is compared and told again as it was asked for: a value that is filled in later is not.
  if (resource.includes('${')) return 'a scope has no variables';
  if (!resource.startsWith(all.slice(0, -1))) return 'the resource is not of the kind of its action';
  const unread = [parseAction(action), parseResource(resource)].find((parsed) => !parsed.ok);
  return unread?.ok === false ? unread.error : { effect: 'allow', actions: [action], resources: [resource], line };
}

function allOf(action: string): string | undefined {
  const kind = action.slice(0, action.indexOf(':'));
  return Object.hasOwn(ALL_OF, kind) ? ALL_OF[kind] : undefined;
}

const malformed = (detail: string) => err(failure('scope_malformed', detail));

/** The scope that says the same as these statements; undefined when none does: a scope has no conditions and denies nothing. */
export function scopeOf(policy: readonly Statement[]): string | undefined {
  const scopes = policy.flatMap(scopesOf);
  return scopes.every((scope) => scope !== undefined) && scopes.length > 0 ? scopes.join(' ') : undefined;
}

/** One scope for each action on each resource. */
const scopesOf = ({ actions, conditions, effect, resources }: Statement): readonly (string | undefined)[] =>
  effect === 'allow' && conditions === undefined
    ? actions.flatMap((action) => resources.map((resource) => scopeOfOne(action, resource)))
    : [undefined];

function scopeOfOne(action: string, resource: string): string | undefined {
  const text = resource === allOf(action) ? action : `${action}:${resource}`;
  // Only what is read back as the same.
  const statement = readOne(text, 1);
  const isSame =
    typeof statement !== 'string' && statement.actions[0] === action && statement.resources[0] === resource;
  return isSame ? text : undefined;
}
