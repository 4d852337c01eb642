// Units of time as types. The clock itself is a port (base/ports).

/** Whole seconds since 1970-01-01T00:00:00Z (RFC 7519 NumericDate without fractions). */
export type EpochSeconds = number;
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;
/** Milliseconds of a clock that never goes back and has no date. */
export type MonotonicMs = number;
