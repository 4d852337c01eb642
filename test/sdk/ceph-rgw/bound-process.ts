// Programs of a test that must not outlive it: whatever happens to the test, they end. Not for programs that write what is kept.
import { type ChildProcess, spawn } from 'node:child_process';

/** Kills `"$@"` when standard input ends, which it does when this process is gone, however it went; ends when `"$@"` does. */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- & program=$!
{ read -r _ <&3; kill -KILL "$program"; } 2>/dev/null & watcher=$!
wait "$program"
kill "$watcher" 2>/dev/null`;
const MAX_OUTPUT_CHARS = 20_000;

/** A running program that is killed, not asked, when it is to end: nothing it holds is worth keeping. */
export class BoundProcess {
  readonly name: string;
  readonly #guard: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';

  constructor(program: string, args: readonly string[]) {
    this.name = program.split('/').at(-1) ?? program;
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'sh', program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => this.#guard.once('close', () => resolve()));
    for (const stream of [this.#guard.stdout, this.#guard.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output = `${this.#output}${chunk}`.slice(-MAX_OUTPUT_CHARS);
      });
    }
    // The guard may be gone already; `end` then has nothing left to do.
    this.#guard.stdin?.on('error', () => undefined);
  }

  /** Of its guard; the program is a child of it. */
  get guardPid(): number {
    return this.#guard.pid ?? 0;
  }

  /** Whether it is gone, although nobody ended it. */
  get hasEnded(): boolean {
    return this.#guard.exitCode !== null || this.#guard.signalCode !== null;
  }

  /** The newest of what it printed. */
  get output(): string {
    return this.#output;
  }

  /** Kills it and waits until it is gone. */
  async end(): Promise<void> {
    this.#guard.stdin?.end();
    await this.#ended;
  }
}
