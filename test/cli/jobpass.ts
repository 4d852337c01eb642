// Runs the command line as a person would, in a folder of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../src/app/cli/main.ts');

const { NODE_COMPILE_CACHE } = process.env;
const KEPT = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  readonly input?: string;
  /** Ends the command by `signals` once its stderr matches, after `onReady`. */
  readonly stopAt?: RegExp;
  /** One after the other, a quarter of a second apart. Default: one SIGTERM. */
  readonly signals?: readonly NodeJS.Signals[];
  readonly onReady?: () => Promise<void>;
}

/** Runs `jobpass ...args` to its end. The environment holds PATH, what `env` says, and where Node keeps what it compiled. */
export function jobpass(args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), MAIN, ...args], {
    cwd: options.folder,
    env: { PATH: process.env.PATH ?? '', ...KEPT, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  let told = false;
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    if (told || options.stopAt?.test(stderr) !== true) return;
    told = true;
    const stop = (): void => {
      (options.signals ?? ['SIGTERM']).forEach((signal, index) => {
        setTimeout(() => child.kill(signal), index * 250);
      });
    };
    (options.onReady?.() ?? Promise.resolve()).then(stop, stop);
  });
  child.stdin.end(options.input ?? '');
  return new Promise((resolved, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolved({ code, stdout, stderr }));
  });
}

/** A fresh folder that is deleted when `use` is done. */
export async function inFreshFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-cli-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
