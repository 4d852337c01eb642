// The error object that all OAuth endpoints share (RFC 6749 §5.2). Which code a failure has is each endpoint's business.

/** RFC 6749 §5.2: what `error_description` may hold. Texts of ours quote values, so quotes are replaced rather than refused. */
const NOT_ALLOWED = /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g;

/** `error` and `error_description`, the latter in the characters that clients are promised. */
export const describedError = (error: string, description: string) => ({
  error,
  error_description: description.replaceAll('"', "'").replaceAll('…', '...').replace(NOT_ALLOWED, '?'),
});
