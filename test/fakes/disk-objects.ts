// Disk object stores in temporary folders, as the gateway opens them.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DiskStore, type DiskStoreOptions, openDiskStore } from '../../src/gateway/objects/disk/open.ts';
import { FrozenClock } from './frozen-clock.ts';
import { MemoryLog } from './memory-log.ts';

/** One store in a folder of its own. */
export interface TemporaryDisk {
  readonly folder: string;
  readonly clock: FrozenClock;
  readonly log: MemoryLog;
  /** Opens the folder, again after `close`. */
  open(more?: Partial<DiskStoreOptions>): Promise<DiskStore>;
  /** Names of all blob files. */
  blobs(): readonly string[];
  remove(): void;
}

const BUCKETS = [
  { name: 'alpha', quotaBytes: null },
  { name: 'beta', quotaBytes: null },
];

/** Flushing costs nothing there; what a crash leaves behind is proved on a real disk, in test/faults. */
const MEMORY_FOLDER = '/dev/shm';

/** A folder that is gone after the test, with the buckets alpha and beta. */
export function temporaryDisk(parentFolder = existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir()): TemporaryDisk {
  const parent = mkdtempSync(join(parentFolder, 'jobpass-objects-'));
  const folder = join(parent, 'store');
  const clock = new FrozenClock();
  const log = new MemoryLog();
  const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
  return {
    folder,
    clock,
    log,
    open: (more = {}) => openDiskStore({ folder, buckets: BUCKETS, clock, random, log, ...more }),
    blobs: () =>
      readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name),
    remove: () => rmSync(parent, { recursive: true }),
  };
}
