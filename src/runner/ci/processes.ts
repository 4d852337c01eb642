// Runs one step in a process group of its own and leaves nothing of the group behind. It knows no job and no secret.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** One step to run. */
export interface StepCommand {
  readonly script: string;
  readonly folder: string;
  /** The whole environment of the step; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Aborted: the group gets SIGTERM, and SIGKILL after the grace. */
  readonly stop: AbortSignal;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** How a step ended: by its exit code, by a signal, or by not starting at all. */
export type StepEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not_started'; readonly problem: string };

/** What a step may take to clean up once it was asked to stop. */
const GRACE_MS = 5000;
/** A process that left the group may hold the output open for ever; nobody waits longer than this for it. */
const DRAIN_MS = 500;

/**
 * Runs `script` with `sh -e` (a failing line ends it; POSIX, so that a pipeline runs alike on every machine) and reports how it
 * ended. When this resolves, no process of its group is left. A process that made a session of its own (setsid) is out of
 * reach; what it holds of the job's identity dies with the job.
 */
export async function runStep(step: StepCommand, graceMs: number = GRACE_MS): Promise<StepEnd> {
  if (step.stop.aborted) return { kind: 'not_started', problem: 'stopped before it began' };
  const child = spawn('/bin/sh', ['-e', '-c', step.script], {
    cwd: step.folder,
    env: { ...step.env },
    // A group and session of its own: no terminal, so no Ctrl-C but ours, and one name for all of its children.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk: Uint8Array) => step.onOutput('stdout', chunk));
  child.stderr.on('data', (chunk: Uint8Array) => step.onOutput('stderr', chunk));
  const drained = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const killTimer = new AbortController();
  const stop = () => {
    signalGroup(child, 'SIGTERM');
    void wait(graceMs, undefined, { signal: killTimer.signal }).then(
      () => signalGroup(child, 'SIGKILL'),
      () => undefined,
    );
  };
  step.stop.addEventListener('abort', stop, { once: true });
  try {
    const end = await ended(child);
    // The leader is gone. After a stop its children keep what is left of the grace; otherwise they die at once.
    if (end.kind !== 'not_started' && step.stop.aborted) await groupGone(child, graceMs);
    signalGroup(child, 'SIGKILL');
    await Promise.race([drained, wait(DRAIN_MS)]);
    return end;
  } finally {
    killTimer.abort();
    step.stop.removeEventListener('abort', stop);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function ended(child: ChildProcess): Promise<StepEnd> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'not_started', problem: `the shell could not be started: ${error.code ?? 'unknown failure'}` });
    });
    child.once('exit', (code, signal) => {
      resolve(code === null ? { kind: 'killed', signal: signal ?? 'unknown' } : { kind: 'exited', code });
    });
  });
}

/** Waits until nobody of the group lives, at most `ms`. */
async function groupGone(child: ChildProcess, ms: number): Promise<void> {
  for (let waited = 0, next = 20; waited < ms && (await groupLives(child)); next = Math.min(next * 2, 200)) {
    await wait(next);
    waited += next;
  }
}

/**
 * Whether a process of the group still runs. Orphans that nobody reaps (a container without an init) answer to signals for ever,
 * so where there is a /proc, the dead among them do not count.
 */
async function groupLives(child: ChildProcess): Promise<boolean> {
  if (!signalGroup(child, 0)) return false;
  const names = await readdir('/proc').catch(() => [] as string[]);
  const pids = names.filter((name) => /^[0-9]+$/.test(name));
  if (pids.length === 0) return true;
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.some((stat) => {
    // proc(5): pid (comm) state ppid pgrp …; comm may hold anything, so what counts begins behind its last bracket.
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === String(child.pid) && state !== 'Z' && state !== 'X';
  });
}

/** Signals every process of the group; false when there is none left. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nobody there. EPERM: what is there is no longer ours.
    return false;
  }
}
