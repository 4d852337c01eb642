// The demo's processes: started one by one, waited for, and ended whatever happens. Only processes started here are ever ended.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { CommandFailure, EXIT } from '../command.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3000;

export interface StartOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  /** The line on stdout or stderr that says that it is up. */
  readonly readyLine: RegExp;
}

/** Processes that end with the demo. */
export class Processes {
  readonly #running: ChildProcess[] = [];

  /** Starts a process and waits for its ready line. Ends the demo with what the process said when it does not come. */
  async start({ name, command: [program, ...args], folder, readyLine }: StartOptions): Promise<void> {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.push(child);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new CommandFailure(`the demo’s ${name} ${why}`, { exitCode: EXIT.failed, detail: said.trim() }));
      const timer = setTimeout(() => fail(`was not ready within ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
      const listen = (chunk: Buffer): void => {
        said = `${said}${chunk.toString('utf8')}`.slice(-20_000);
        if (!readyLine.test(said)) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', (cause) => fail(`could not be started: ${cause.message}`));
      child.once('exit', (code) => {
        clearTimeout(timer);
        fail(`stopped with exit code ${code}`);
      });
    });
  }

  /** Ends all of them, last started first; one that does not listen is killed. */
  async stop(): Promise<void> {
    for (const child of this.#running.splice(0).reverse()) await stop(child);
  }
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Runs a program to its end and gives its stdout. */
export const output = ([program, ...args]: readonly [string, ...string[]], folder: string): string =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
