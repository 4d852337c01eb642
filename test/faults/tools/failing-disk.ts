// A disk that fails when told to: a small library that is compiled here and preloaded into a server.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = new URL('./failing-disk.c', import.meta.url).pathname;

/** What the disk does: flushes and writes, or does not flush, takes no writes, is full. */
export type DiskState = 'good' | 'no flush' | 'read-only' | 'full';

const ORDERS: Readonly<Record<DiskState, string>> = { good: '-', 'no flush': 's', 'read-only': 'w', full: 'f' };

export interface FailingDisk {
  /** Put before a command, so that its disk is this one. */
  readonly prefix: readonly string[];
  turn(state: DiskState): void;
  remove(): void;
}

/** Undefined where there is no C compiler. Only files whose path holds `part` fail. */
export function failingDisk(part: string): FailingDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-disk-'));
  const [library, order] = [join(folder, 'disk.so'), join(folder, 'order')];
  writeFileSync(order, ORDERS.good);
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'], { encoding: 'utf8' });
  if (compiled.status !== 0) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    prefix: ['env', `LD_PRELOAD=${library}`, `JOBPASS_FAULT_FILE=${order}`, `JOBPASS_FAULT_PATH=${part}`],
    // In place: the server has the file mapped.
    turn: (state) => {
      const file = openSync(order, 'r+');
      writeSync(file, ORDERS[state], 0);
      closeSync(file);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
