// A process that grants under load and says on its standard output what was answered, until it is killed.
// argv: database file, a prefix for its ids. Each line is one acknowledgement, written after the store's promise resolved.
import { writeSync } from 'node:fs';
import { grantOf, ISSUER, NOW, refusedRecord, tombstoneOf } from '../../src/storage/conformance/fixtures.ts';
import { openSqliteSts } from '../../src/storage/sqlite/open.ts';

const STDOUT = 1;
const CONCURRENCY = 16;

const [path = '', prefix = ''] = process.argv.slice(2);
const store = await openSqliteSts({ path });
let count = 0;

/** A pipe takes a short line whole or not at all, also when the process dies during the next one. */
const acknowledge = (what: string, name: string) => writeSync(STDOUT, `${what} ${name}\n`);

async function one(): Promise<void> {
  count += 1;
  const name = `${prefix}-${count}.`;
  // Every fourth token is single use, every eighth job ends at once, every tenth request is refused.
  const uses = count % 4 === 0 ? [{ exp: NOW + 600, iss: ISSUER, jti: `jti-${name}` }] : [];
  const outcome = await store.grant(grantOf(name, { uses }));
  acknowledge(outcome, name);
  if (count % 8 === 0) {
    await store.buryJobs([tombstoneOf(`J${name}`)]);
    acknowledge('buried', name);
  }
  if (count % 10 === 0) {
    await store.recordRefusal(refusedRecord(`x${name}`));
    acknowledge('refused', `x${name}`);
  }
}

async function forEver(): Promise<never> {
  for (;;) await one();
}

await Promise.all(Array.from({ length: CONCURRENCY }, forEver));
