// How policies scale: loading 100,000 roles, deciding by one of them, reloading them beside requests. `node bench/policy.ts`, about 40 s.
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatProblems } from '../src/base/document/problem.ts';
import { decide } from '../src/policy/decide.ts';
import { buildPolicySet, type PolicySet } from '../src/policy/policy-set.ts';
import { readRole } from '../src/policy/readers/jobpass.ts';
import { RolePool } from '../src/policy/readers/role-pool.ts';
import type { Ceiling, Role } from '../src/policy/role.ts';
import { ActivePolicies } from '../src/sts/policy-reload.ts';
import type { PolicyFile, PolicySource } from '../src/sts/policy-source.ts';
import { measure, printRates, printRatio, type Subject } from './measure.ts';
import { clock, log } from './parts.ts';

const ROLES = 100_000;
const ISSUER = 'https://ci.example.com';
const PLAN = { rounds: 15, millisecondsEach: 120 };

const CEILING: Ceiling = {
  tenant: 'main',
  issuers: [ISSUER],
  actions: ['http:*', 's3:*'],
  resources: ['arn:jobpass:http:::*', 'arn:aws:s3:::*'],
  gateways: ['artifacts'],
  maxDurationSeconds: 3600,
  awsAccounts: 'all' as const,
  gcpProjects: 'all' as const,
  azureTenants: 'all' as const,
};

/** The role of the design's example, each for a pipeline of its own. */
const roleText = (index: number): string => `# Who may publish the site.
role: publish-${index}
trust:
  - issuer: ${ISSUER}
    claims:
      owner_id: "42"
      pipeline_id: "${index}"
      ref: refs/heads/main
      environment: [production, staging]
      workflow: release-*
session: { gateway: artifacts, max_duration: 30m, single_use: false }
permissions:
  - { effect: allow, actions: ["s3:PutObject"], resources: ["arn:aws:s3:::web/\${claims.pipeline_id}/*"] }
`;

const files: readonly PolicyFile[] = Array.from({ length: ROLES }, (_, index) => ({
  path: `main/publish-${index}.yaml`,
  bytes: new TextEncoder().encode(roleText(index)),
}));

function readAll(): readonly Role[] {
  const pool = new RolePool();
  const decoder = new TextDecoder();
  return files.map(({ path, bytes }) => {
    const role = readRole({ tenant: 'main', file: path, text: decoder.decode(bytes) }, CEILING, { pool });
    if (!role.ok) throw new Error(formatProblems(role.error));
    return role.value;
  });
}

/** The least that anyone would do with as many files: decode, digest, parse the same as JSON. */
function plainly(): number {
  const decoder = new TextDecoder();
  const json = JSON.stringify(roleText(7).split('\n'));
  return files.reduce(
    (sum, { bytes }) => sum + hash('sha256', decoder.decode(bytes)).length + JSON.parse(json).length,
    0,
  );
}

interface Spent {
  readonly seconds: number;
  /** Of this thread: what others do on a shared machine does not count. */
  readonly cpuSeconds: number;
}

function spentBy<T>(work: () => T): { readonly result: T } & Spent {
  const [begin, cpu] = [performance.now(), process.threadCpuUsage()];
  const result = work();
  const { user, system } = process.threadCpuUsage(cpu);
  return { result, seconds: (performance.now() - begin) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function load(): PolicySet {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const read = spentBy(readAll);
  const built = spentBy(() => buildPolicySet(read.result));
  globalThis.gc?.();
  const bytes = (process.memoryUsage().heapUsed - before) / ROLES;
  const [seconds, cpu] = [read.seconds + built.seconds, read.cpuSeconds + built.cpuSeconds];
  line(`load ${ROLES} roles`, `${seconds.toFixed(2)} s, of which ${cpu.toFixed(2)} s on this thread's CPU`, '≤ 3 s');
  line('  a role, read and compiled', `${((read.cpuSeconds / ROLES) * 1e6).toFixed(1)} µs of CPU`);
  const plain = spentBy(plainly);
  line(
    '  of which JSON.parse and SHA-256 need',
    `${((plain.cpuSeconds / ROLES) * 1e6).toFixed(1)} µs`,
    'for comparison',
  );
  const size = globalThis.gc === undefined ? 'not known without --expose-gc' : `${bytes.toFixed(0)} bytes`;
  line('  a role in memory', size, '≤ 4096 bytes');
  return built.result;
}

const line = (name: string, value: string, goal = ''): void =>
  console.log(`  ${name.padEnd(42)}${value}${goal === '' ? '' : `   ${goal}`}`);

const claimsOf = (index: number) => ({
  iss: ISSUER,
  sub: `owner:acme@42:pipeline:web@${index}:environment:staging`,
  owner_id: '42',
  pipeline_id: String(index),
  ref: 'refs/heads/main',
  environment: 'staging',
  workflow: 'release-7',
  fork: 'false',
});

/** Decisions by roles all over the set: a single one would stay in the processor's caches. */
function decisions(set: PolicySet, pick: (count: number) => number): () => void {
  let count = 0;
  const requests = Array.from({ length: 1000 }, (_, index) => {
    const role = pick(index);
    return { role: { tenant: 'main', name: `publish-${role}` }, issuer: ISSUER, claims: claimsOf(role), now: 0 };
  });
  return () => {
    for (let each = 0; each < 100; each += 1) {
      const request = requests[count % requests.length];
      count += 1;
      if (request === undefined || !decide(set, request).allow) throw new Error('refused');
    }
  };
}

async function decide100k(large: PolicySet): Promise<void> {
  const role = large.find({ tenant: 'main', name: 'publish-7' });
  const one = buildPolicySet(role === undefined ? [] : [role]);
  const scattered = (index: number): number => (index * 7919) % ROLES;
  const some = Array.from({ length: 1000 }, (_, index) => scattered(index));
  const few = buildPolicySet(some.flatMap((index) => large.find({ tenant: 'main', name: `publish-${index}` }) ?? []));
  const subjects: readonly Subject[] = [
    { name: 'one role', concurrency: 1, run: decisions(one, () => 7) },
    { name: 'the same among 100,000', concurrency: 1, run: decisions(large, () => 7) },
    { name: '1,000 roles in turn', concurrency: 1, run: decisions(few, scattered) },
    { name: 'the same 1,000 among 100,000', concurrency: 1, run: decisions(large, scattered) },
  ];
  repeat(subjects[0], 500);
  const cpu = spentBy(() => repeat(subjects[0], 1000));
  line('a decision with one role', `${((cpu.cpuSeconds / 100_000) * 1e6).toFixed(2)} µs of CPU`, '≤ 10 µs');
  const rates = await measure(subjects, PLAN);
  console.log('\nhundreds of decisions:');
  printRates(rates);
  console.log('\nratios, formed round by round');
  printRatio(rates, ['one role', 'the same among 100,000'], '≤ 1.2');
  printRatio(rates, ['1,000 roles in turn', 'the same 1,000 among 100,000'], '≤ 1.2');
}

function repeat(subject: Subject | undefined, times: number): void {
  for (let time = 0; time < times; time += 1) subject?.run();
}

/** The longest time that the event loop was not free while `work` ran, in milliseconds of this thread's CPU and of the clock. */
async function longestPause(work: () => Promise<unknown>): Promise<{ readonly cpuMs: number; readonly ms: number }> {
  let isDone = false;
  let [longest, longestCpu] = [0, 0];
  const watching = (async () => {
    while (!isDone) {
      const [begin, cpu] = [performance.now(), process.threadCpuUsage()];
      await nextTurn();
      const { user, system } = process.threadCpuUsage(cpu);
      longest = Math.max(longest, performance.now() - begin);
      longestCpu = Math.max(longestCpu, (user + system) / 1000);
    }
  })();
  await work();
  isDone = true;
  await watching;
  return { cpuMs: longestCpu, ms: longest };
}

async function reload(): Promise<void> {
  let current = files;
  const source: PolicySource = { list: async () => current, read: async () => undefined, watch: () => () => {} };
  const active = new ActivePolicies({
    source,
    ceilings: new Map([['main', CEILING]]),
    clock,
    log,
    onChange: () => undefined,
  });
  const show = ({ ms, cpuMs }: { ms: number; cpuMs: number }, seconds: number): string =>
    `${ms.toFixed(1)} ms at most, ${cpuMs.toFixed(1)} ms of CPU, over ${seconds.toFixed(1)} s`;
  const timed = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const begin = performance.now();
    const pause = await longestPause(work);
    line(name, show(pause, (performance.now() - begin) / 1000), '≤ 20 ms');
  };
  console.log('\npauses of the event loop, with the folder in memory');
  await timed('first load, in slices', () => active.start());
  current = files.map((file, index) =>
    index === 7 ? { ...file, bytes: new TextEncoder().encode(`${roleText(7)}# changed\n`) } : file,
  );
  await timed('reload with one file changed', () => active.reload());
  current = files.map(({ path }, index) => ({
    path,
    bytes: new TextEncoder().encode(`${roleText(index)}# changed\n`),
  }));
  await timed('reload with every file changed', () => active.reload());
  await active.close();
}

console.log(`policies: ${ROLES} roles of ${files[7]?.bytes.length} bytes\n`);
const set = load();
await decide100k(set);
await reload();
