// Runs a command with a role's credential in its environment. The credential is never written to disk or to an argument list.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Result } from '../base/core/result.ts';
import { err, ok } from '../base/core/result.ts';
import { type Environment, type ExchangedToken, REQUEST_TOKEN_VARIABLE, REQUEST_URL_VARIABLE } from './client.ts';
import type { RunnerFailure } from './failure.ts';

/** Where signals to this process arrive: `process`, or a fake. */
interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

export interface ExecOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly credential: ExchangedToken;
  readonly signals: SignalSource;
  /** A terminal already sends Ctrl-C and Ctrl-\ to the command itself; forwarding them would deliver them twice. */
  readonly terminal: boolean;
  /** Leaves the command the right to ask for further ID tokens. Default: taken away, so that it holds this role only. */
  readonly keepIdentity?: boolean;
}

const TERMINAL_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', ...TERMINAL_SIGNALS];

/**
 * Runs the command with the standard streams of this process and gives its exit code; 128 + n when signal n ended it.
 * `usage` when the command does not exist or cannot be executed.
 */
export function runWithCredential(options: ExecOptions): Promise<Result<number, RunnerFailure>> {
  const child = spawn(options.command, [...options.args], {
    env: childEnvironment(options),
    stdio: 'inherit',
    shell: false,
  });
  const listeners = FORWARDED.map((signal) => {
    const silent = options.terminal && TERMINAL_SIGNALS.includes(signal);
    return [signal, () => void (silent || child.kill(signal))] as const;
  });
  for (const [signal, listener] of listeners) options.signals.on(signal, listener);
  return new Promise<Result<number, RunnerFailure>>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(err(spawnFailure(options.command, error))));
    child.once('exit', (code, signal) => resolve(ok(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))));
  }).finally(() => {
    for (const [signal, listener] of listeners) options.signals.off(signal, listener);
  });
}

/** The environment of the command: everything but the job's own right to ask, and the credential of the one role. */
export function childEnvironment(options: Pick<ExecOptions, 'env' | 'credential' | 'keepIdentity'>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...options.env };
  if (options.keepIdentity !== true) {
    delete env[REQUEST_URL_VARIABLE];
    delete env[REQUEST_TOKEN_VARIABLE];
  }
  env.JOBPASS_ACCESS_TOKEN = options.credential.accessToken.reveal();
  env.JOBPASS_ACCESS_TOKEN_EXPIRES_AT = String(options.credential.expiresAt);
  env.JOBPASS_SESSION_ID = options.credential.sessionId;
  return env;
}

function spawnFailure(command: string, error: NodeJS.ErrnoException): RunnerFailure {
  if (error.code === 'ENOENT') return { kind: 'usage', message: `${command}: no such command` };
  if (error.code === 'EACCES') return { kind: 'usage', message: `${command}: not executable` };
  return { kind: 'failed', message: `${command} could not be started: ${error.code ?? 'unknown failure'}` };
}
