// Google's OAuth scopes: what of them means anything here, and what a token is narrowed to by them. They never widen what a role
// allows.
import type { Statement } from '../../base/core/permissions.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';

/** What a token with some scopes may be used for at most. */
export interface ScopeReach {
  /** Whether a service account may be taken on with it. */
  readonly impersonation: boolean;
  /** A session policy. Null: whatever the role allows; an empty list: nothing. */
  readonly policy: readonly Statement[] | null;
}

const MAX_SCOPES = 100;
/** RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;

/** Checks a list of scopes. Error: request_malformed, fit for the caller. */
export function readScopes(scopes: readonly unknown[]): Result<readonly string[], Failure> {
  if (scopes.length === 0) return err(failure('request_malformed', 'scope is missing'));
  if (scopes.length > MAX_SCOPES) return err(failure('request_malformed', `scope has more than ${MAX_SCOPES} entries`));
  const texts = scopes.filter((scope): scope is string => typeof scope === 'string' && SCOPE.test(scope));
  return texts.length === scopes.length
    ? ok(texts)
    : err(failure('request_malformed', 'scope is not a list of scopes'));
}

const PREFIX = 'https://www.googleapis.com/auth/';
const OBJECTS = 'arn:aws:s3:::*';

const allow = (actions: readonly string[], resource: string): Statement => ({
  effect: 'allow',
  actions,
  resources: [resource],
  line: 1,
});

const READ_OBJECTS = allow(['s3:Get*', 's3:List*'], OBJECTS);
const ALL_OBJECTS = allow(['s3:*'], OBJECTS);

/** The scopes that open less than everything. */
const NARROW: Readonly<Record<string, readonly Statement[]>> = {
  'cloud-platform.read-only': [READ_OBJECTS, allow(['http:GET', 'http:HEAD'], 'arn:jobpass:http:::*')],
  'devstorage.read_only': [READ_OBJECTS],
  'devstorage.read_write': [ALL_OBJECTS],
  'devstorage.full_control': [ALL_OBJECTS],
};

/**
 * What the scopes reach together. A client that asked for reading alone must not get more than it asked for; scopes of services
 * that are not here (`openid`, `compute`) open nothing by themselves. Precondition: readScopes took them.
 */
export function reachOf(scopes: readonly string[]): ScopeReach {
  const names = scopes.filter((scope) => scope.startsWith(PREFIX)).map((scope) => scope.slice(PREFIX.length));
  const isWide = names.includes('cloud-platform');
  return {
    impersonation: isWide || names.includes('iam'),
    policy: isWide ? null : names.flatMap((name) => (Object.hasOwn(NARROW, name) ? (NARROW[name] ?? []) : [])),
  };
}
