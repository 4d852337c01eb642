// The library entry: the job's side of the delegation, for scripts that prefer calls over commands. Everything else is a program.

export type { Err, Ok, Result } from './base/core/result.ts';
export { Secret } from './base/core/secret.ts';
export {
  type Environment,
  type ExchangedToken,
  exchangeToken,
  type IdToken,
  type JobEnvironment,
  readJobEnvironment,
  requestIdToken,
  type Transport,
} from './runner/client.ts';
export { exitCodeOf, type RunnerFailure } from './runner/failure.ts';
