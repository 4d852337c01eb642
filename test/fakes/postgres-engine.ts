// Gives the conformance suite databases of a real PostgreSQL. Test code: nothing of the program imports it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreEngine, StoreInstance, StsStoreInstance } from '../../src/storage/conformance/engine.ts';
import { type HeldWrite, runHeldWrite } from '../../src/storage/conformance/engine.ts';
import type { PostgresLocation } from '../../src/storage/location.ts';
import { statement } from '../../src/storage/postgres/connection.ts';
import { openDatabase } from '../../src/storage/postgres/database.ts';
import { GATEWAY_SCHEMA } from '../../src/storage/postgres/migrations/gateway.ts';
import { ISSUER_SCHEMA } from '../../src/storage/postgres/migrations/issuer.ts';
import { STS_SCHEMA } from '../../src/storage/postgres/migrations/sts.ts';
import { type Closable, stsStoreOn } from '../../src/storage/postgres/open.ts';
import type { StsStore } from '../../src/sts/store.ts';
import type { PostgresServer } from './postgres-server.ts';

type Open<Store> = (location: PostgresLocation) => Promise<Store & Closable>;

/** Where a database of a test's server is, for its superuser. */
export const locationOf = (server: PostgresServer, database: string): PostgresLocation => ({
  host: '127.0.0.1',
  port: server.port,
  user: 'postgres',
  password: null,
  database,
  tls: null,
});

/** Databases that nobody uses. Making and dropping them costs more than most tests. */
const unused = new WeakMap<PostgresServer, string[]>();

const freshDatabase = async (server: PostgresServer): Promise<string> =>
  unused.get(server)?.pop() ?? (await server.createDatabase());

/** Takes away what a test left, so that the next one finds an empty database. */
async function release(server: PostgresServer, name: string): Promise<void> {
  const schemas = [STS_SCHEMA, ISSUER_SCHEMA, GATEWAY_SCHEMA].map((schema) => schema.name);
  await server.query(`DROP SCHEMA IF EXISTS ${schemas.join(', ')} CASCADE`, name);
  unused.set(server, [...(unused.get(server) ?? []), name]);
}

async function instanceOf<Store>(
  server: PostgresServer,
  open: Open<Store>,
  name: string,
): Promise<StoreInstance<Store>> {
  let opened: (Store & Closable)[] = [];
  const connect = async (): Promise<Store> => {
    const store = await open(locationOf(server, name));
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
      await release(server, name);
    },
  };
}

/** Fresh databases, opened as the program opens them. The server runs when the tests do. */
export const postgresEngine = <Store>(server: () => PostgresServer, open: Open<Store>): StoreEngine<Store> => ({
  create: async () => instanceOf(server(), open, await freshDatabase(server())),
});

/** Another replica runs the write; a question queued behind it in its transaction is answered when the write's statements have run. */
async function hold(
  location: PostgresLocation,
  write: HeldWrite,
  holdMs: number,
): Promise<{ readonly committed: Promise<void> }> {
  const database = await openDatabase(location, STS_SCHEMA);
  const held = runHeldWrite(stsStoreOn(database), write);
  let pause: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    pause = database.write({
      locks: [],
      run: async (transaction) => {
        await transaction.query(statement('SELECT 1'));
        resolve();
        await sleep(holdMs);
      },
    });
    pause.catch(reject);
  });
  const committed = async (): Promise<void> => {
    await Promise.all([held, pause]);
    await database.close();
  };
  return { committed: committed() };
}

/** As `postgresEngine`, with transactions held open by another replica. */
export const postgresStsEngine = (
  server: () => PostgresServer,
  open: Open<StsStore>,
): StoreEngine<StsStore, StsStoreInstance> => ({
  create: async () => {
    const name = await freshDatabase(server());
    const instance = await instanceOf(server(), open, name);
    return { ...instance, hold: (write, holdMs) => hold(locationOf(server(), name), write, holdMs) };
  },
});
