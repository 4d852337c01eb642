// The sessions that callers of an S3 front hold at this moment: each token is verified once and its keys derived once. What is
// kept is bounded, and believed no longer than the STS's key, the group's key and the session's own expiry allow.
import { hash } from 'node:crypto';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { assumedRoleId } from '../../base/credential/aws-arn.ts';
import { type AwsSession, awsSecretKey } from '../../base/credential/aws-session.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { CredentialScope } from '../../base/sigv4/scope.ts';
import { signingKey } from '../../base/sigv4/signature.ts';
import type { GroupKey, GroupKeys } from '../../keys/group-key.ts';
import { type Authority, keyWithdrawal } from '../authorize.ts';
import { type OpenedAwsCredential, openAwsCredential } from '../credential.ts';

/** A few kilobytes each; a site with more live sessions at one gateway verifies some of them again. */
const MAX_SESSIONS = 10_000;
/**
 * Of the session policies of all sessions together, as JSON. Callers write them, and compiled they take up to 90 times as much:
 * bounded by their number alone, the sessions of one job could fill the memory.
 */
const MAX_POLICY_CHARS = 1024 * 1024;
/** Requests are signed for today; presigned URLs for any of the seven days before. */
const MAX_SIGNING_KEYS = 8;

const KEY_GONE = 'the key of the group that the secret follows from is gone';

/** A verified session token. Whoever presents it has still to prove that they know the secret. */
export interface OpenSession extends OpenedAwsCredential {
  /** `AROA…:<session name>`, for the condition key `aws:userid`. */
  readonly userId: string;
  /** The group's key that the session's secret follows from. */
  readonly groupKey: GroupKey;
  /** All of them as they were when the session was asked for. */
  readonly groupKeys: GroupKeys;
  /** The SigV4 key of this session for one day, region and service. */
  signingKey(scope: CredentialScope): Uint8Array;
}

interface Kept {
  readonly session: OpenSession;
  readonly policyChars: number;
}

export interface SessionCacheOptions {
  readonly authority: Authority;
  /** The group's keys as the feed last gave them; null while they are not known or not fresh. */
  readonly groupKeys: () => GroupKeys | null;
  /** How many sessions are kept; MAX_SESSIONS unless a test says otherwise. */
  readonly capacity?: number;
  /** Likewise, MAX_POLICY_CHARS. */
  readonly maxPolicyChars?: number;
}

/** Opens session tokens, and remembers the ones that were good. */
export class SessionCache {
  readonly #o: SessionCacheOptions;
  readonly #capacity: number;
  readonly #maxPolicyChars: number;
  /** By the token's digest, the least recently used first. */
  readonly #sessions = new Map<string, Kept>();
  #policyChars = 0;

  constructor(options: SessionCacheOptions) {
    this.#o = options;
    this.#capacity = options.capacity ?? MAX_SESSIONS;
    this.#maxPolicyChars = options.maxPolicyChars ?? MAX_POLICY_CHARS;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * The session of a token. Failures: `feed_stale` while keys are missing, and those of opening. Whether the session has ended
   * meanwhile is `permit`'s to say.
   */
  async open(token: string): Promise<Result<OpenSession, Failure>> {
    const groupKeys = this.#o.groupKeys();
    if (groupKeys === null) return err(failure('feed_stale', 'the keys of the group are not known at this moment'));
    const name = hash('sha256', token, 'base64');
    const known = this.#recall(name, groupKeys);
    if (known !== undefined) return ok(known);
    const opened = await openAwsCredential(token, this.#o.authority);
    if (!opened.ok) return opened;
    const { aws } = opened.value;
    const userId = assumedRoleId(aws.roleArn, aws.sessionName);
    const groupKey = groupKeys.find(aws.groupKeyId);
    if (groupKey === undefined) return err(failure('key_unknown', KEY_GONE));
    const session = { ...opened.value, userId, groupKey, groupKeys, signingKey: signingKeysOf(aws, groupKey) };
    this.#remember(name, { session, policyChars: policyCharsOf(aws.session) });
    return ok(session);
  }

  #recall(name: string, groupKeys: GroupKeys): OpenSession | undefined {
    const kept = this.#sessions.get(name);
    if (kept === undefined) return undefined;
    this.#forget(name);
    const { session } = kept;
    const { knowledge } = this.#o.authority;
    const isGood =
      session.groupKeys === groupKeys &&
      keyWithdrawal(session.credential.key, knowledge) === undefined &&
      session.credential.session.expiresAt > knowledge.nowSeconds();
    if (!isGood) return undefined;
    this.#remember(name, kept);
    return session;
  }

  #remember(name: string, kept: Kept): void {
    // Two requests may have opened the same token at the same time.
    this.#forget(name);
    this.#sessions.set(name, kept);
    this.#policyChars += kept.policyChars;
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#capacity && this.#policyChars <= this.#maxPolicyChars) return;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    this.#policyChars -= this.#sessions.get(name)?.policyChars ?? 0;
    this.#sessions.delete(name);
  }
}

const policyCharsOf = ({ policy }: CarriedSession): number => (policy === null ? 0 : JSON.stringify(policy).length);

/** Derives each key when it is first asked for. */
function signingKeysOf({ session }: AwsSession, { key: groupKey }: GroupKey): OpenSession['signingKey'] {
  const keys = new Map<string, Uint8Array>();
  return (scope) => {
    const name = `${scope.date}/${scope.region}/${scope.service}`;
    const known = keys.get(name);
    if (known !== undefined) return known;
    const secret = awsSecretKey(groupKey.reveal(), session.sessionId);
    const key = signingKey(secret.reveal(), scope);
    if (keys.size >= MAX_SIGNING_KEYS) keys.clear();
    keys.set(name, key);
    return key;
  };
}
