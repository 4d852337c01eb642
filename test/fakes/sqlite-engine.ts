// Gives the conformance suite SQLite databases in temporary folders. Test code: nothing of the program imports it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HeldWrite, StoreEngine, StoreInstance, StsStoreInstance } from '../../src/storage/conformance/engine.ts';
import type { Closable } from '../../src/storage/sqlite/open.ts';
import type { StsStore } from '../../src/sts/store.ts';

type Open<Store> = (location: { readonly path: string }) => Promise<Store & Closable>;

/** A folder of its own below the system's temporary folder. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'jobpass-store-'));

async function instanceOf<Store>(open: Open<Store>, path: string, folder: string): Promise<StoreInstance<Store>> {
  let opened: (Store & Closable)[] = [];
  const connect = async (): Promise<Store> => {
    const store = await open({ path });
    opened.push(store);
    return store;
  };
  const closeAll = async () => {
    await Promise.all(opened.map((store) => store.close()));
    opened = [];
  };
  return {
    store: await connect(),
    replica: connect,
    restart: async () => {
      await closeAll();
      return connect();
    },
    destroy: async () => {
      await closeAll();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Fresh databases, opened as the program opens them. */
export const sqliteEngine = <Store>(open: Open<Store>): StoreEngine<Store> => ({
  create: () => {
    const folder = temporaryFolder();
    return instanceOf(open, join(folder, 'data', 'store.db'), folder);
  },
});

/** What the thread of `hold` is told, and what it answers: `open` before its commit, `committed` after it. */
export interface HoldOrder {
  readonly path: string;
  readonly write: HeldWrite;
  readonly holdMs: number;
}

async function hold(order: HoldOrder): Promise<{ readonly committed: Promise<void> }> {
  const worker = new Worker(new URL('./sqlite-hold-thread.ts', import.meta.url), { workerData: order });
  const committed = new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the thread ended with ${code}`))));
  });
  await Promise.race([new Promise((resolve) => worker.once('message', resolve)), committed]);
  return { committed };
}

/** As `sqliteEngine`, with transactions held open by another thread. */
export const sqliteStsEngine = (open: Open<StsStore>): StoreEngine<StsStore, StsStoreInstance> => ({
  create: async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'sts.db');
    const instance = await instanceOf(open, path, folder);
    return { ...instance, hold: (write, holdMs) => hold({ path, write, holdMs }) };
  },
});
