// One set of policies for all replicas: who activates, who follows, and what broken files and old folders must not do.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CountingRandom } from '../../test/fakes/counting-random.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { MemoryPolicyStore } from '../../test/fakes/memory-policy-store.ts';
import { roleText, wideCeiling } from '../../test/fakes/roles.ts';
import { MemoryPolicies, StsWorld } from '../../test/fakes/sts-world.ts';
import { ActivePolicies } from './policy-reload.ts';
import { SharedPolicies } from './shared-policies.ts';

const FILE = 'main/publish-web.yaml';
const ceilings = new Map([['main', wideCeiling('main')]]);
const TRUST = '[{ issuer: "https://ci.example.com", claims: { ref: refs/heads/main } }]';
const role = (name: string) =>
  roleText({
    trust: TRUST,
    permissions: `[{ effect: allow, actions: ["http:PUT"], resources: ["arn:jobpass:http:::artifacts/${name}/*"] }]`,
  });

let clock: FrozenClock;
let log: MemoryLog;
let store: MemoryPolicyStore;
const running: ActivePolicies[] = [];

beforeEach(() => {
  clock = new FrozenClock();
  log = new MemoryLog();
  store = new MemoryPolicyStore();
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.splice(0).map((policies) => policies.close()));
});

class Replica {
  readonly folder = new MemoryPolicies();
  readonly shared: SharedPolicies;
  readonly active: ActivePolicies;

  constructor(text: string) {
    this.folder.files.set(FILE, text);
    const ports = { clock, log, random: new CountingRandom(running.length) };
    this.shared = new SharedPolicies({ folder: this.folder, store, ceilings, ...ports });
    this.active = new ActivePolicies({ source: this.shared, ceilings, clock, log, onChange: () => undefined });
    running.push(this.active);
  }

  /** What decisions are made by: a word of its one role. */
  ref(): string | undefined {
    const found = this.active.current().find({ tenant: 'main', name: 'publish-web' });
    return /refs\/[a-z]+/.exec(JSON.stringify(found?.permissions ?? ''))?.[0];
  }

  async change(text: string): Promise<void> {
    this.folder.files.set(FILE, text);
    this.folder.changed();
    await this.follows();
  }

  /** A look at the store, and the reload that it causes. */
  async follows(): Promise<void> {
    await this.shared.look().catch(() => undefined);
    await this.active.reload();
  }
}

async function replica(text: string): Promise<Replica> {
  const started = new Replica(text);
  await started.active.start();
  return started;
}

const activations = () => store.policySets.length;

describe('a start', () => {
  test('activates a folder that is new, once for all replicas, and records it', async () => {
    const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
    expect([first.ref(), second.ref()]).toEqual(['refs/a', 'refs/a']);
    expect(store.actions).toMatchObject([{ action: 'policy.activate', detail: { files: 1, before: null } }]);
  });

  test('beside a newer set takes that, and activates nothing', async () => {
    const first = await replica(role('refs/a'));
    await first.change(role('refs/b'));
    const late = await replica(role('refs/a'));
    expect(late.ref()).toBe('refs/b');
    expect(activations()).toBe(2);
  });

  test('with another folder that never was activates it for all', async () => {
    const first = await replica(role('refs/a'));
    const second = await replica(role('refs/b'));
    await first.follows();
    expect([first.ref(), second.ref()]).toEqual(['refs/b', 'refs/b']);
  });

  test('with a broken file takes the active set, and fails where there is none', async () => {
    await expect(replica('role: [')).rejects.toMatchObject({ code: 'ERR_POLICIES_INVALID' });
    await replica(role('refs/a'));
    const broken = await replica('role: [');
    // Looking again at the same folder changes nothing either.
    broken.folder.changed();
    await broken.follows();
    expect(broken.ref()).toBe('refs/a');
    expect(activations()).toBe(1);
    await broken.change(role('refs/b'));
    expect(broken.ref()).toBe('refs/b');
  });
});

describe('a change of one folder', () => {
  test('is every replica’s, with the documents that roles name', async () => {
    const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
    const azure = {
      issuer: 'https://ci.example.com',
      subject: 'x',
      audiences: ['api://AzureADTokenExchange'],
    };
    first.folder.documents.set('main/azure.json', JSON.stringify(azure));
    const named = role('refs/b').replace(TRUST, '[{ azure_file: azure.json }]');
    await first.change(named);
    expect(log.lines.filter(({ fields }) => 'problems' in fields)).toEqual([]);
    await second.follows();
    expect([first.ref(), second.ref()]).toEqual(['refs/b', 'refs/b']);
    expect(first.active.current().id).toBe(second.active.current().id);
  });

  test('back to what was active before is activated, too', async () => {
    const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
    await first.change(role('refs/b'));
    await first.change(role('refs/a'));
    await second.follows();
    expect([first.ref(), second.ref()]).toEqual(['refs/a', 'refs/a']);
    expect(activations()).toBe(3);
  });

  test('that the store does not take is tried again', async () => {
    const first = await replica(role('refs/a'));
    store.policiesBroken = new Error('away');
    await first.change(role('refs/b'));
    expect(first.ref()).toBe('refs/a');
    store.policiesBroken = undefined;
    await first.follows();
    expect(first.ref()).toBe('refs/b');
  });
});

describe('a file that breaks', () => {
  test('keeps its last good version for all replicas, for ten minutes', async () => {
    const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
    await first.change('role: [');
    await second.follows();
    expect([first.ref(), second.ref(), activations()]).toEqual(['refs/a', 'refs/a', 1]);
    clock.advance(599);
    await first.follows();
    expect(first.ref()).toBe('refs/a');
    clock.advance(1);
    await first.follows();
    await second.follows();
    expect([first.ref(), second.ref(), activations()]).toEqual([undefined, undefined, 2]);
  });

  test('in a folder whose set is not the active one takes nothing from that', async () => {
    const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
    await first.change(role('refs/b'));
    await second.change('role: [');
    clock.advance(601);
    second.folder.changed();
    await second.follows();
    await first.follows();
    expect([first.ref(), second.ref(), activations()]).toEqual(['refs/b', 'refs/b', 2]);
  });
});

describe('a replica that cannot look', () => {
  test('is fresh for ten seconds and not longer, and again with the next look', async () => {
    const first = await replica(role('refs/a'));
    store.policiesBroken = new Error('away');
    clock.advance(10);
    await first.follows();
    expect(first.active.isFresh()).toBe(true);
    clock.advanceMs(1);
    expect(first.active.isFresh()).toBe(false);
    store.policiesBroken = undefined;
    await first.follows();
    expect(first.active.isFresh()).toBe(true);
  });

  test('grants nothing, and tells gateways nothing', async () => {
    const world = await StsWorld.start();
    try {
      expect((await world.exchange(await world.issuer.idToken())).status).toBe(200);
      world.policies.fresh = false;
      const refused = await world.exchange(await world.issuer.idToken());
      expect(refused.status).toBe(503);
      const found = await world.call(`GET /admin/v1/decisions/${String(refused.json.decision_id)}`, { as: 'root' });
      expect(found.json).toMatchObject({ decision: { reason: 'policies_stale' } });
    } finally {
      await world.close();
    }
  });
});

test('a store that went back to an earlier set is given the one that was active again', async () => {
  const first = await replica(role('refs/a'));
  await first.change(role('refs/b'));
  store.policySets.pop();
  await first.follows();
  expect(first.ref()).toBe('refs/b');
  expect(await store.activePolicies()).toMatchObject({ version: 2 });
});

test('what was active is not forgotten while a store that went back does not take it', async () => {
  const first = await replica(role('refs/a'));
  await first.change(role('refs/b'));
  store.policySets.pop();
  const { activatePolicies } = store;
  store.activatePolicies = () => Promise.reject(new Error('away'));
  await first.follows();
  expect(first.ref()).toBe('refs/b');
  store.activatePolicies = activatePolicies;
  await first.follows();
  expect(first.ref()).toBe('refs/b');
  expect((await store.activePolicies())?.version).toBe(2);
});

test('in a store that went back, another set under the version that is known is followed', async () => {
  const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
  await first.change(role('refs/b'));
  store.policySets.pop();
  await second.change(role('refs/c'));
  await first.follows();
  expect([first.ref(), second.ref()]).toEqual(['refs/c', 'refs/c']);
});

test('a change is followed without being asked for', async () => {
  const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
  await first.change(role('refs/b'));
  await vi.waitFor(() => expect(second.ref()).toBe('refs/b'), { timeout: 2000 });
});

test('however often the store tells of changes while it is slow, a change of the folder waits for one look', async () => {
  const one = await replica(role('refs/a'));
  vi.useFakeTimers();
  const unwatch = one.shared.watch(() => undefined);
  const slow = Promise.withResolvers<void>();
  let looks = 0;
  const answer = store.activePolicies.bind(store);
  store.activePolicies = async () => {
    looks += 1;
    await slow.promise;
    return answer();
  };
  for (let told = 0; told < 20; told += 1) {
    for (const tell of store.watchers) tell();
    await vi.advanceTimersByTimeAsync(100);
  }
  slow.resolve();
  await vi.advanceTimersByTimeAsync(0);
  unwatch();
  expect(looks).toBe(2);
});

test('a change that the store tells of is followed before the next look is due', async () => {
  const [first, second] = [await replica(role('refs/a')), await replica(role('refs/a'))];
  vi.useFakeTimers();
  const unwatch = second.shared.watch(() => void second.active.reload());
  await first.change(role('refs/b'));
  for (const tell of store.watchers) tell();
  await vi.advanceTimersByTimeAsync(100);
  expect(second.ref()).toBe('refs/b');
  unwatch();
});
