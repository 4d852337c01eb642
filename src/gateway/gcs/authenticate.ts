// Who makes a request: the session of its access token. What that session may do is not asked here.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import type { Authority, Credential } from '../authorize.ts';
import { bearerToken } from '../bearer.ts';
import { openBearer } from '../credential.ts';
import type { Head } from '../store-front/head.ts';
import { type GcsRefusal, refusalOf } from './refusal.ts';

export interface AuthenticationDependencies {
  readonly authority: Authority;
  /** The group's keys as the feed last gave them; null while they are not known or not fresh. */
  readonly groupKeys: () => GroupKeys | null;
}

/** A caller whose access token is verified. */
export interface Caller {
  readonly credential: Credential;
  /** Binds resumable uploads to who began them. */
  readonly groupKeys: GroupKeys;
}

/**
 * Opens the one bearer credential of a request; tokens in queries and bodies are never looked at. Failures: `credential_missing`,
 * `token_malformed`, `feed_stale` while keys are missing, and those of opening.
 */
export async function authenticate(
  { authority, groupKeys }: AuthenticationDependencies,
  head: Head,
): Promise<Result<Caller, GcsRefusal>> {
  const token = bearerToken(head.headers.get('authorization') ?? []);
  if (!token.ok) return err(refusalOf(token.error));
  const keys = groupKeys();
  if (keys === null) {
    return err(refusalOf(failure('feed_stale', 'the keys of the group are not known at this moment')));
  }
  const opened = await openBearer(token.value, authority);
  return opened.ok ? ok({ credential: opened.value, groupKeys: keys }) : err(refusalOf(opened.error));
}
