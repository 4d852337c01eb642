// A thread that keeps one transaction of the STS's store open for a while. Test code.
import { parentPort, workerData } from 'node:worker_threads';
import { runHeldWrite } from '../../src/storage/conformance/engine.ts';
import { AuditChain } from '../../src/storage/sqlite/audit-chain.ts';
import { openDatabase } from '../../src/storage/sqlite/database.ts';
import { STS_SCHEMA } from '../../src/storage/sqlite/migrations/sts.ts';
import { stsStoreOn } from '../../src/storage/sqlite/open.ts';
import type { HoldOrder } from './sqlite-engine.ts';

const { path, write, holdMs }: HoldOrder = workerData;
const database = openDatabase({ path }, STS_SCHEMA);
const store = stsStoreOn(database, new AuditChain(database));

const held = runHeldWrite(store, write);
// Queued in the same turn, so it runs in the same transaction, after the write and before the commit.
const pause = database.write(() => {
  parentPort?.postMessage('open');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, holdMs);
});
await Promise.all([held, pause]);
await database.close();
