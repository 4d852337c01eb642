// Moments as people read them.

/** `2026-11-23 10:21:33`, in UTC, of milliseconds since 1970. */
export const formatMoment = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
