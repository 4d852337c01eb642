// The servers that AWS's clients meet, each a process of its own: an assumed role against moto's, small objects, and large ones
// against nginx. `node bench/aws.ts`, a minute and a half; moto_server and nginx are compared with where they are installed.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireClient } from '../test/clients.ts';
import { startS3Servers } from '../test/e2e/s3-servers.ts';
import { DEPLOY_ROLE, sessionKeys } from '../test/sdk/aws-s3/job.ts';
import { assumeRequest, BUCKET, getRequest, storeObject } from './aws-requests.ts';
import { measure, measureWithCosts, printRates, printRatio, type Subject } from './measure.ts';
import { temporaryFolder } from './parts.ts';
import { cpuSeconds, type Peer, portOf, startLeast, startMoto, startNginx } from './peers.ts';
import { WireLoad } from './wire-load.ts';

const MIB = 1024 * 1024;
const LARGE_BYTES = 64 * MIB;
const ASSUME = 'AssumeRoleWithWebIdentity';
const MOTO = 'moto’s, which verifies and keeps nothing';
const JUDGED = 'a floor that judges: no framework, limits, metrics or look-ups';
const LEAST = 'the least of it: http, check, rows and signature';
const SMALL = 'GET of 1 KiB';
const LARGE = 'GET of 64 MiB';
const NGINX = 'nginx, the same bytes';
/** Servers run for long: each of their functions is compiled well only after some ten thousand requests. */
const ONE_CORE = { rounds: 9, millisecondsEach: 700, warmUpMilliseconds: 8000 };
const ALL_CORES = { rounds: 9, millisecondsEach: 500 };
const LARGE_PLAN = { rounds: 9, millisecondsEach: 700 };

/** Lets all threads of a process run on these cores only. */
const pin = (pid: number, cores: string): void =>
  void execFileSync('taskset', ['-acp', cores, String(pid)], { stdio: 'ignore' });
const everyCore = `0-${Number(execFileSync('nproc', { encoding: 'utf8' })) - 1}`;

const moto = requireClient('moto_server');
const nginx = requireClient('nginx');
const folder = temporaryFolder();
const opened: { close(): unknown }[] = [];
/** Whatever is opened is closed at the end, last first. */
const keep = <T extends { close(): unknown }>(one: T): T => {
  opened.push(one);
  return one;
};

try {
  const servers = keep(
    await startS3Servers({
      buckets: [BUCKET],
      policies: { deploy: DEPLOY_ROLE },
      clockSkewSeconds: 1,
      unlimited: true,
    }),
  );
  // Only of jobs that are younger than its store can an STS know without asking that they run.
  await sleep(3000);
  const keys = await sessionKeys(servers);
  const assume = await assumeRequest(servers);
  const assuming = keep(new WireLoad({ port: portOf(servers.urls.sts), request: assume }));

  // One core serves, another asks.
  pin(servers.sts.pid, '0');
  pin(process.pid, '1');
  const granted: Subject[] = [
    { name: ASSUME, concurrency: 32, run: () => assuming.run(), cpuSeconds: () => cpuSeconds(servers.sts.pid) },
  ];
  const compare = (name: string, peer: Peer): void => {
    const load = keep(new WireLoad({ port: peer.port, request: assume }));
    granted.push({ name, concurrency: 32, run: () => load.run(), cpuSeconds: peer.cpuSeconds });
  };
  const floors = [join(folder.path, 'judged'), join(folder.path, 'least')] as const;
  compare(JUDGED, keep(await startLeast(floors[0], '0', [servers.urls.issuer, servers.urls.sts])));
  compare(LEAST, keep(await startLeast(floors[1], '0')));
  if (moto !== undefined) compare(MOTO, keep(await startMoto(moto, '0')));
  console.log(
    '32 at once, the server on one core; ours verifies the token and has session and record on the disk first\n',
  );
  const { costs, rates } = await measureWithCosts(granted, ONE_CORE);
  printRates(rates);
  printRatio(rates, [ASSUME, JUDGED]);
  printRatio(rates, [ASSUME, LEAST]);
  if (moto !== undefined) {
    printRatio(rates, [ASSUME, MOTO], 'goal: 15, better 20');
    printRatio(rates, [JUDGED, MOTO], 'the most that judging leaves');
    printRatio(rates, [LEAST, MOTO], 'the most that there is');
  }
  printRates(costs, '\nmicroseconds of the server’s core for each');
  if (moto !== undefined) printRatio(costs, [MOTO, ASSUME]);

  pin(servers.sts.pid, everyCore);
  pin(process.pid, everyCore);
  await storeObject(servers, keys, { name: 'small', bytes: 1024 });
  const small = keep(new WireLoad({ port: portOf(servers.urls.s3), request: getRequest(servers, keys, 'small') }));
  console.log(
    '\n32 at once, server and client on the same cores; signature, session and permission judged each time\n',
  );
  printRates(await measure([{ name: SMALL, concurrency: 32, run: () => small.run() }], ALL_CORES));
  console.log(`  ${'goal'.padEnd(62)}    2000 on two cores`);

  const content = await storeObject(servers, keys, { name: 'large', bytes: LARGE_BYTES });
  const large = keep(
    new WireLoad({ port: portOf(servers.urls.s3), request: getRequest(servers, keys, 'large'), bufferBytes: MIB }),
  );
  const subjects: Subject[] = [{ name: LARGE, concurrency: 2, run: () => large.run() }];
  if (nginx !== undefined) {
    const peer = keep(await startNginx(nginx, { folder: folder.path, content }));
    const load = keep(new WireLoad({ port: peer.port, request: peer.request, bufferBytes: MIB }));
    subjects.push({ name: NGINX, concurrency: 2, run: () => load.run() });
  }
  console.log('\n2 at once, server and client on the same cores; nginx with sendfile\n');
  const downloads = await measure(subjects, LARGE_PLAN);
  printRates(downloads);
  if (nginx !== undefined) printRatio(downloads, [LARGE, NGINX], 'goal: 0.5');
} finally {
  for (const one of opened.reverse()) await one.close();
  folder.remove();
}
