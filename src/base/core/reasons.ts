// The closed vocabulary of refusals. `Reason` is what the operator reads; `SafeReason` is all that a caller may learn.
// docs/errors.md lists exactly these (held by a test).

/** What a caller may learn of a refusal. Unknown role, other tenant and failed condition are one and the same. */
export type SafeReason =
  | 'request_invalid'
  | 'client_invalid'
  | 'token_invalid'
  | 'token_expired'
  | 'access_denied'
  | 'not_found'
  | 'conflict'
  | 'limited'
  | 'unavailable';

/** Every reason of a refusal, what the caller may learn of it, and what it means. */
export const REASONS = {
  request_malformed: ['request_invalid', 'the request is not what the protocol asks for'],
  request_too_large: ['request_invalid', 'a part of the request is beyond its bound'],
  grant_type_unsupported: ['request_invalid', 'the grant type or token type is not served here'],
  target_malformed: ['request_invalid', 'the target does not name exactly one role'],
  duration_invalid: ['request_invalid', 'the asked lifetime is not a whole positive number of seconds'],
  scope_malformed: ['request_invalid', 'a scope is not an action, or an action and a resource'],
  scope_exceeded: ['request_invalid', 'the role gives nothing of the asked scope'],
  session_policy_malformed: [
    'request_invalid',
    'the session policy is not one that can be judged by, or names an unknown one',
  ],
  session_policy_too_large: ['request_invalid', 'session tags and session policy do not fit into a credential'],
  signature_malformed: [
    'request_invalid',
    'the signature of the request cannot be read, or leaves out what it must cover',
  ],
  path_refused: [
    'request_invalid',
    'the request path, the method or a header could be read in two ways or names a second resource',
  ],
  operation_unsupported: ['request_invalid', 'the operation, or an option of it, is not served here'],
  payload_mismatch: ['request_invalid', 'the body is not the one that was announced or signed'],
  facts_invalid: ['request_invalid', 'the facts of the job are incomplete, too long, or not allowed together'],
  subject_too_long: ['request_invalid', 'the names make a subject of more than 255 characters'],

  client_unknown: ['client_invalid', 'no such client, or its secret or assertion is wrong'],
  client_expired: ['client_invalid', 'the client entry is past its expiry'],
  client_not_permitted: ['access_denied', 'the client may not use this route'],
  owner_not_permitted: ['access_denied', 'the controller is not bound to this owner'],
  request_token_invalid: ['token_invalid', 'no job has this request token'],

  token_missing: ['token_invalid', 'no token was presented'],
  token_malformed: ['token_invalid', 'the token is not a strict compact JWS with a JSON object inside'],
  token_too_large: ['token_invalid', 'the token is larger than 16 KiB'],
  token_type_refused: ['token_invalid', 'the token is of another kind than the one wanted here'],
  algorithm_refused: ['token_invalid', 'the signature algorithm is not allowed for this issuer'],
  key_unknown: ['token_invalid', 'the issuer publishes no key with this id'],
  key_unusable: ['token_invalid', 'the key is too weak, ambiguous, or not meant for this use'],
  signature_invalid: ['token_invalid', 'the signature does not match'],
  clock_skewed: ['token_invalid', 'the request was signed at another time than now'],
  issuer_unknown: ['token_invalid', 'no trusted issuer is registered under this name'],
  issuer_unreachable: ['unavailable', 'the keys of the issuer could not be fetched and no good set is left'],
  issuer_unusable: ['unavailable', 'the issuer answered, but with no keys that can be used, and no good set is left'],
  audience_mismatch: ['token_invalid', 'the token was made for another audience'],
  claim_missing: ['token_invalid', 'a claim that every token must carry is absent'],
  claim_malformed: ['token_invalid', 'a registered claim has the wrong type or form'],
  token_expired: ['token_expired', 'the token is past its expiry'],
  token_not_yet_valid: ['token_invalid', 'the token starts in the future'],
  token_lifetime_too_long: ['token_invalid', 'the token lives longer than allowed for this issuer'],
  token_replayed: ['token_invalid', 'the token may be used once, and was used before'],

  job_unknown: ['not_found', 'no such job, or another controller’s'],
  job_ended: ['access_denied', 'the job is over'],
  job_status_unknown: ['unavailable', 'whether the job still runs could not be learnt in time'],
  audience_not_permitted: ['access_denied', 'the job may not ask for this audience'],
  fork_not_permitted: ['access_denied', 'jobs from forks get no identity here, or not for this audience'],
  idempotency_conflict: ['conflict', 'the idempotency key was used for a job with other facts'],
  rate_limited: ['limited', 'there were too many requests of this address, client, issuer or job'],
  too_many_request_tokens: ['limited', 'the job already has as many request tokens as it may have'],

  chaining_refused: ['access_denied', 'credentials are given for identity tokens only, never for other credentials'],
  role_unknown: ['access_denied', 'no active role has this name'],
  resource_unknown: ['access_denied', 'no gateway of the role’s group has this resource identifier'],
  no_rule_matched: ['access_denied', 'no trust rule of the role holds for this token'],
  lifetime_exhausted: ['access_denied', 'no whole second is left within the bounds of role, tenant and job'],
  granting_frozen: ['unavailable', 'an operator stopped granting for this role, its tenant, its issuer, or everything'],
  epoch_raised: ['access_denied', 'the token was issued before an operator ended everything of before'],
  clock_behind: ['unavailable', 'the clock is behind the latest time already acted on'],

  credential_missing: ['token_invalid', 'no credential was presented'],
  group_mismatch: ['token_invalid', 'the credential is for another group of gateways'],
  session_ended: [
    'access_denied',
    'the session has ended: with its job, or because an operator or its holder ended it',
  ],
  session_expired: ['token_expired', 'the session is past its expiry'],
  feed_stale: ['unavailable', 'the gateway cannot prove that its knowledge is fresh'],
  bucket_unknown: ['not_found', 'the gateway has no such bucket'],
  upload_unknown: ['not_found', 'the upload is not one of this role and job'],
  quota_exceeded: ['limited', 'the object would exceed the quota of its bucket'],
  permission_denied: ['access_denied', 'the permissions of the role do not allow this'],
  upstream_unreachable: ['unavailable', 'the guarded resource did not answer'],
  upstream_busy: ['unavailable', 'no connection to the guarded resource became free in time'],

  key_absent: ['not_found', 'this server has no such key ring, or no such key in it'],
  key_state_refused: ['conflict', 'the state of the key does not allow this, or not yet'],
  ring_changed: ['conflict', 'the key ring was changed by somebody else at the same moment'],

  freeze_beyond_reach: ['access_denied', 'the freeze was set by an authority that reaches further than the client’s'],
  session_unknown: ['not_found', 'no session in force has this id'],
  session_ambiguous: ['not_found', 'several sessions in force have ids that begin so'],
  scope_unknown: ['not_found', 'there is no such role, tenant or issuer'],
  decision_unknown: ['not_found', 'no decision has this id'],
  decision_ambiguous: ['not_found', 'several decisions begin with this id'],
  policies_stale: ['unavailable', 'the server cannot prove that it decides by the policies that are active'],
  store_unavailable: ['unavailable', 'the store did not take the record, so nothing was granted'],
  internal_failure: ['unavailable', 'an unexpected failure; nothing was granted'],
} as const satisfies Record<string, readonly [SafeReason, string]>;

/** A reason as the operator reads it. */
export type Reason = keyof typeof REASONS;

/** What the caller may learn of `reason`. */
export const safeReason = (reason: Reason): SafeReason => REASONS[reason][0];

/** An expected failure of one check: the reason and, for the operator only, its evidence. */
export interface Failure {
  readonly reason: Reason;
  readonly detail: string;
}

/** Shorthand for a failure value. `detail` holds no secret and no token. */
export const failure = (reason: Reason, detail: string): Failure => ({ reason, detail });
