// Three STSs and two issuers on one PostgreSQL agree: on the policies, on each step of a ring, and on what a token was used for.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askOperator, credentialIn, type OperatorAnswer } from '../../src/app/cli/operator.ts';
import type { JsonObject } from '../../src/base/core/json.ts';
import { postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';
import { mostGrantsOfOneToken, readPostgres } from './tools/auditor.ts';
import { askForToken, beginJob, exchangeAt, type Reply, runJob } from './tools/calls.ts';
import { bound, LIMIT_MS, spread } from './tools/counts.ts';
import { breathe } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';

const VERSION = 18;
const AGREED_MS = bound(2000);
/** Longer than a change of the policies takes to be everywhere. */
const WATCHED_MS = 2500;
const DAY_SECONDS = 86_400;

let postgres: PostgresServer;
let database: string;
let fleet: Fleet;

/** Asks the operators' socket of one replica, counted from 1. */
function ask(server: 'issuer' | 'sts', at: number, path: string, post?: JsonObject): Promise<OperatorAnswer> {
  const credential = credentialIn(fleet.operatorFiles[server]);
  const socket = join(fleet.folder, `${server}-${at}/run/${server}.sock`);
  return askOperator({ ...credential, socket }, path, post);
}

/** The actions that a server's audit trail has, in the order of time. */
async function actionsOf(server: 'issuer' | 'sts', action: string): Promise<readonly JsonObject[]> {
  const rows = await postgres.query(`SELECT body FROM jobpass_${server}.audit_entry ORDER BY position`, database);
  return rows.map(({ body }) => JSON.parse(String(body))).filter((entry) => entry.action === action);
}

const policyFile = (replica: number, role: string): string =>
  join(fleet.folder, `sts-${replica}/policies/main/${role}.yaml`);

/** Puts a role like `deploy` into the folder of one replica. */
function addRole(replica: number, role: string): void {
  const like = readFileSync(policyFile(replica, 'deploy'), 'utf8');
  writeFileSync(policyFile(replica, role), like.replace('role: deploy', `role: ${role}`));
}

const ROLES = ['deploy', 'later', 'left', 'right'] as const;

/** Which roles each replica grants at this moment. */
const rolesBy = (token: string): Promise<readonly string[]> =>
  Promise.all(
    fleet.stsUrls.map(async (sts) => {
      const replies = await Promise.all(ROLES.map((role) => exchangeAt(sts, token, { role })));
      return ROLES.filter((_, at) => replies[at]?.status === 200).join();
    }),
  );

async function activeVersion(): Promise<number> {
  const [row] = await postgres.query('SELECT version FROM jobpass_sts.policy_active', database);
  return Number(row?.version);
}

/** Every replica is looked at again and again for a while: all of it must be so. */
async function stays(token: string, roles: string): Promise<void> {
  for (const until = performance.now() + WATCHED_MS; performance.now() < until; ) {
    expect(await rolesBy(token)).toEqual(fleet.stsUrls.map(() => roles));
    await breathe(50);
  }
}

function policies(): void {
  test('a set that one replica activates is what all decide by, soon', async () => {
    const { token } = await runJob(fleet);
    expect(await rolesBy(token)).toEqual(['deploy', 'deploy', 'deploy']);
    addRole(2, 'later');
    const since = performance.now();
    const times = await Promise.all(
      fleet.stsUrls.map(async (sts) => {
        while ((await exchangeAt(sts, token, { role: 'later' }))?.status !== 200) {
          if (performance.now() - since > LIMIT_MS / 4) throw new Error('the change was not followed');
          await breathe(10);
        }
        return performance.now() - since;
      }),
    );
    console.info(`policies changed at one of 3 STSs → decided by at each: ${spread(times)}`);
    expect(Math.max(...times)).toBeLessThan(AGREED_MS);
  });

  test('a broken set changes nothing anywhere, whether its folder is the active one’s or another’s', async () => {
    const { token } = await runJob(fleet);
    const [roles = ''] = await rolesBy(token);
    const before = await activeVersion();
    const whole = [2, 3].map((replica) => readFileSync(policyFile(replica, 'deploy')));
    for (const replica of [2, 3]) writeFileSync(policyFile(replica, 'deploy'), 'role: [');
    writeFileSync(policyFile(1, 'broken'), 'role: broken\ntrust: nobody\n');
    await stays(token, roles);
    expect(await activeVersion()).toBe(before);
    for (const [at, bytes] of whole.entries()) writeFileSync(policyFile(at + 2, 'deploy'), bytes);
    rmSync(policyFile(1, 'broken'));
  });

  test('two replicas that start at once with different new sets end with one, and so does the third', async () => {
    const { token } = await runJob(fleet);
    const [first, second] = fleet.stss;
    await Promise.all([first?.end(), second?.end()]);
    addRole(1, 'left');
    addRole(2, 'right');
    await Promise.all([first?.start(), second?.start()]);
    await expect.poll(async () => new Set(await rolesBy(token)).size, { timeout: AGREED_MS, interval: 20 }).toBe(1);
    const [agreed = ''] = await rolesBy(token);
    expect(agreed).toMatch(/^deploy,(left|(later,)?right)$/);
    const version = await activeVersion();
    await stays(token, agreed);
    expect(await activeVersion()).toBe(version);
  });
}

/** Tokens of a running job, exchanged at each STS without pause, until `stop`. */
class Traffic {
  readonly failures: string[] = [];
  readonly signers = new Set<string>();
  exchanges = 0;
  #isOver = false;
  #lanes: Promise<unknown> = Promise.resolve();

  async start(): Promise<void> {
    const job = await beginJob(fleet);
    const lane = async (sts: string): Promise<void> => {
      while (!this.#isOver) {
        const asked = await askForToken(fleet, job);
        const token = String(asked?.body.value);
        const reply = await exchangeAt(sts, token);
        this.exchanges += 1;
        if (reply?.status === 200) this.signers.add(kidOf(token));
        else this.failures.push(`${asked?.status} ${JSON.stringify(reply)}`);
        await breathe(30);
      }
    };
    this.#lanes = Promise.all(fleet.stsUrls.map(lane));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#lanes;
  }
}

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;

/** What the database says of the ring's keys that live. */
async function ringOf(): Promise<Readonly<Record<string, string>>> {
  const sql = "SELECT kid, state FROM jobpass_issuer.key WHERE ring = 'id-token' ORDER BY position";
  return Object.fromEntries(
    (await postgres.query(sql, database)).map(({ kid, state }) => [String(kid), String(state)]),
  );
}

/** Lets time pass for the keys in this state, and tells both issuers at the same moment. */
async function age(state: string, days: number): Promise<void> {
  const passed = `state_since = state_since - ${days * DAY_SECONDS}`;
  await postgres.query(
    `UPDATE jobpass_issuer.key SET ${passed} WHERE ring = 'id-token' AND state = '${state}';
     UPDATE jobpass_issuer.key_ring SET version = version + 1 WHERE ring = 'id-token';
     NOTIFY jobpass_issuer`,
    database,
  );
}

function rings(): void {
  test('both issuers rotate one ring at once, by the clock and by hand: one new key, and no STS refuses a token', async () => {
    const traffic = new Traffic();
    await traffic.start();
    const [before = ''] = Object.keys(await ringOf());
    await age('active', 90);
    await expect
      .poll(async () => Object.values(await ringOf()), { timeout: AGREED_MS })
      .toEqual(['active', 'prepared']);
    const [, next = ''] = Object.keys(await ringOf());
    // Due by the clock of both, and asked of both by hand.
    const order = { ring: 'id-token', early: true };
    const verbs = await Promise.all([
      ask('issuer', 1, '/admin/v1/keys/activate', order),
      ask('issuer', 2, '/admin/v1/keys/activate', order),
      age('prepared', 2),
    ]);
    await expect.poll(ringOf, { timeout: AGREED_MS }).toEqual({ [before]: 'retired', [next]: 'active' });
    for (const { body, status } of verbs.slice(0, 2) as OperatorAnswer[])
      expect(status === 200 ? (body.done as JsonObject).key : status).toBe(status === 200 ? next : 409);
    await expect.poll(() => traffic.signers.has(next), { timeout: AGREED_MS }).toBe(true);
    await breathe(WATCHED_MS);
    await traffic.stop();
    console.info(`${traffic.exchanges} exchanges, ${traffic.failures.length} refused`);
    expect(traffic.failures).toEqual([]);
    expect([...traffic.signers].toSorted()).toEqual([before, next].toSorted());
    expect(await ringOf()).toEqual({ [before]: 'retired', [next]: 'active' });
    for (const action of ['key.prepare', 'key.activate']) expect(await actionsOf('issuer', action)).toHaveLength(1);
  });
}

function singleUse(): void {
  const operator = () => ({ name: 'operator', secret: credentialIn(fleet.operatorFiles.sts).secret.reveal() });
  const gateway = () => ({
    name: 'gateway-1',
    secret: readFileSync(join(fleet.folder, 'gateway-1/.jobpass/gateway.secret'), 'utf8').trim(),
  });
  const present = (at: number, token: string, client: ReturnType<typeof operator>): Promise<Reply | undefined> =>
    exchangeAt(fleet.stsUrls[at] ?? '', token, { role: 'once', client });

  test('a repeat by the same client at another replica gets the same session, counted once; another client is refused', async () => {
    const { token } = await runJob(fleet);
    const first = await present(0, token, operator());
    const again = await present(1, token, operator());
    expect([first?.status, again?.status]).toEqual([200, 200]);
    expect(again?.body.session_id).toBe(first?.body.session_id);
    expect(mostGrantsOfOneToken(await readPostgres(postgres, database), 'once')).toBe(1);
    expect(await actionsOf('sts', 'session.repeat')).toMatchObject([
      { actor: { kind: 'client', name: 'operator' }, target: first?.body.session_id },
    ]);

    const other = await present(2, token, gateway());
    expect([other?.status, other?.body.reason]).toEqual([400, 'token_invalid']);
    const { body } = await ask('sts', 1, `/admin/v1/decisions/${String(other?.body.decision_id)}`);
    expect(body.decision).toMatchObject({ outcome: 'refused', reason: 'token_replayed' });
    const { detail } = body.decision as JsonObject;
    expect(detail).toContain(`under decision ${String(first?.body.decision_id)}, by client operator`);
    expect(detail).toContain('only the client that used it gets the same session again');
    expect(await actionsOf('sts', 'session.repeat')).toHaveLength(1);
  });
}

describe.skipIf(postgresPrograms(VERSION) === undefined)('three STSs and two issuers on one PostgreSQL', () => {
  beforeAll(async () => {
    postgres = await PostgresServer.start(VERSION, { settings: { fsync: 'off' } });
    database = await postgres.createDatabase();
    fleet = await makeFleet({ ...{ issuers: 2, stss: 3 }, database: { port: postgres.port, name: database } });
    for (const kind of [fleet.issuers, fleet.stss]) await Promise.all(kind.map((server) => server.start()));
  }, LIMIT_MS);
  afterAll(async () => {
    await fleet?.close();
    await postgres?.destroy();
  });

  singleUse();
  rings();
  policies();
});
