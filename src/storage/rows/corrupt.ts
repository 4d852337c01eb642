// Owns the one way in which damage is reported, whatever the engine.
import { JobpassError } from '../../base/core/errors.ts';

/** ERR_STORE_CORRUPT: what the database holds is not what was written. */
export function corrupt(what: string, cause?: unknown): JobpassError {
  const hint = 'stop the server; jobpass restore FILE puts a backup in its place; keep the broken one aside';
  return new JobpassError('ERR_STORE_CORRUPT', what, cause === undefined ? { hint } : { cause, hint });
}
