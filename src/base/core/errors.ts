// Unexpected failures. Expected ones are values (result.ts); nothing matches on a message.

/** An unexpected failure with a stable code (`ERR_…`), an optional next step, and its cause. */
export class JobpassError extends Error {
  readonly code: `ERR_${string}`;
  readonly hint: string | undefined;

  constructor(code: `ERR_${string}`, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'JobpassError';
    this.code = code;
    this.hint = options.hint;
  }
}
