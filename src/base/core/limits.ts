// Bounds that hold everywhere (design, section 8). Anything beyond them is refused before memory is spent on it.

export const MAX_TOKEN_BYTES = 16 * 1024;
export const MAX_JSON_DEPTH = 16;
/** Request bodies except streamed objects. */
export const MAX_BODY_BYTES = 128 * 1024;
export const MAX_JWKS_BYTES = 256 * 1024;
export const MAX_JWKS_KEYS = 100;
/** Living keys of one ring: those that were replaced within the longest life stand beside the active one. */
export const MAX_RING_KEYS = 50;
export const MAX_POLICY_BYTES = 64 * 1024;
export const MAX_POLICY_CLAUSES = 1000;
/** RFC 7519 leaves leeway to the verifier; 30 s covers ordinary NTP drift. */
export const DEFAULT_CLOCK_SKEW_SECONDS = 30;
export const MAX_CLOCK_SKEW_SECONDS = 300;
/** No identity token needs to live longer; a job's end is remembered as long as its tokens can live. */
export const MAX_TOKEN_LIFETIME_SECONDS = 24 * 3600;
/** No session lives longer, whatever is configured. */
export const MAX_SESSION_SECONDS = 12 * 3600;
/**
 * How long an epoch is kept: of a token issued before it, a session without a role may come until the token's end, and of that
 * one another until its own.
 */
export const EPOCH_KEPT_SECONDS = MAX_TOKEN_LIFETIME_SECONDS + MAX_SESSION_SECONDS + 2 * MAX_CLOCK_SKEW_SECONDS;
/** What cannot prove that it is fresher than this refuses (design, section 3). */
export const MAX_STALENESS_MS = 10_000;
/** OIDC Core 2: `sub` must not exceed 255 ASCII characters. */
export const MAX_SUBJECT_CHARS = 255;
/** Google Cloud's `google.subject` holds at most 127 bytes. */
export const MAX_SHORT_SUBJECT_BYTES = 127;
