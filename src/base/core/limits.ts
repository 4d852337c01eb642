// Bounds that hold everywhere (design, section 8). Anything beyond them is refused before memory is spent on it.

export const MAX_TOKEN_BYTES = 16 * 1024;
export const MAX_JSON_DEPTH = 16;
/** Request bodies except streamed objects. */
export const MAX_BODY_BYTES = 128 * 1024;
export const MAX_JWKS_BYTES = 256 * 1024;
export const MAX_JWKS_KEYS = 100;
export const MAX_POLICY_BYTES = 64 * 1024;
export const MAX_POLICY_CLAUSES = 1000;
/** RFC 7519 leaves leeway to the verifier; 30 s covers ordinary NTP drift. */
export const DEFAULT_CLOCK_SKEW_SECONDS = 30;
export const MAX_CLOCK_SKEW_SECONDS = 300;
/** What cannot prove that it is fresher than this refuses (design, section 3). */
export const MAX_STALENESS_MS = 10_000;
/** OIDC Core 2: `sub` must not exceed 255 ASCII characters. */
export const MAX_SUBJECT_CHARS = 255;
/** Google Cloud's `google.subject` holds at most 127 bytes. */
export const MAX_SHORT_SUBJECT_BYTES = 127;
