// One server of the program as a process: started, waited for, and ended as a test wants it. Only processes started here are ever ended.
import { type ChildProcess, spawn } from 'node:child_process';

const START_LIMIT_MS = 30_000;

/** One server under a configuration of its own. */
export class ServerProcess {
  readonly #command: readonly [string, ...string[]];
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(command: readonly [string, ...string[]], o: { folder: string; env: NodeJS.ProcessEnv }) {
    this.#command = command;
    this.#folder = o.folder;
    this.#env = o.env;
  }

  /** Of the running process. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** What it printed, its log among it; the newest of it. */
  get output(): string {
    return this.#said;
  }

  /** Starts it and waits until it says that it is ready; gives how many milliseconds that took. Rejects with what it said. */
  async start(): Promise<number> {
    const begin = performance.now();
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { cwd: this.#folder, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#said = '';
    await new Promise<void>((ready, fail) => {
      const giveUp = (why: string): void => fail(new Error(`${args.join(' ')} ${why}\n${this.#said}`));
      const timer = setTimeout(() => giveUp('was not ready in time'), START_LIMIT_MS);
      const listen = (chunk: Buffer): void => {
        this.#said = `${this.#said}${chunk}`.slice(-100_000);
        if (!/^ready/m.test(this.#said)) return;
        clearTimeout(timer);
        ready();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        giveUp(`ended (${code ?? signal})`);
      });
    });
    return performance.now() - begin;
  }

  /** Ends it with `signal` and waits until it is gone. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const kill = setTimeout(() => child.kill('SIGKILL'), 8000);
    child.kill(signal);
    await gone;
    clearTimeout(kill);
  }
}
