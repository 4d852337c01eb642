// Runs something again whenever files change, until it is told to stop.
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** Several events of one save arrive together; they are one change. */
const SETTLE_MS = 100;

export interface WatchOptions {
  /** Watched with all that is below it. */
  readonly folder: string;
  /** Changes of this file are not looked at: it is written by `run`. */
  readonly except: string | undefined;
  readonly signal: AbortSignal;
  /** Gives the files that it read, absolute; those outside the folder are watched too. */
  readonly run: () => readonly string[];
}

/** Runs once, then after every change. Resolves when the signal is aborted. */
export async function watchFiles({ folder, except, signal, run }: WatchOptions): Promise<void> {
  if (signal.aborted) return;
  const watchers = new Map<string, FSWatcher>();
  let settling: NodeJS.Timeout | undefined;
  const again = (): void => {
    const files = run();
    const outside = files
      .map((file) => dirname(file))
      .filter((parent) => !`${parent}${sep}`.startsWith(`${folder}${sep}`));
    for (const parent of new Set(outside)) observe(parent, false);
  };
  const observe = (path: string, recursive: boolean): void => {
    // A file that is looked for may lie in a folder that is not there yet.
    if (watchers.has(path) || !existsSync(path)) return;
    const watcher = watch(path, { recursive }, (_, name) => {
      if (name !== null && join(path, name) === except) return;
      clearTimeout(settling);
      settling = setTimeout(again, SETTLE_MS);
    });
    watcher.on('error', () => watcher.close());
    watchers.set(path, watcher);
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  observe(folder, true);
  again();
  await promise;
  clearTimeout(settling);
  for (const watcher of watchers.values()) watcher.close();
}
