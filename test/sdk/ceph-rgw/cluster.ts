// A real Ceph RGW on loopback for one test file: one monitor, one OSD in memory, one gateway, in a folder of its own.
// It owns starting and ending them; what is asked of them is the tests' business.
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireClient } from '../../clients.ts';
import { freePort } from '../../fakes/free-port.ts';
import { until } from '../../fakes/guarded-resource.ts';
import { BoundProcess } from './bound-process.ts';

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'ceph-authtool', 'monmaptool'] as const;
type Programs = Readonly<Record<(typeof PROGRAMS)[number], string>>;

const run = promisify(execFile);
/** Two seconds when nothing else runs. */
const START_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 30_000;

/** A key that signs requests for as long as the cluster lives. */
interface StaticKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface CephUser extends StaticKey {
  /** The tenant that its buckets, roles and providers are in; as an account number, ARNs read as AWS's do. */
  readonly tenant: string;
}

export interface CephCluster {
  /** S3, STS and IAM at one address. */
  readonly url: string;
  /** A new user with a static key; `caps` as radosgw-admin takes them. */
  createUser(o: { readonly name: string; readonly tenant: string; readonly caps?: string }): Promise<CephUser>;
  /** What the gateway printed last. */
  log(): string;
  close(): Promise<void>;
}

/** Ceph's programs, or undefined after a line for each that is missing; a throw where CI needs them. */
export function findCeph(): Programs | undefined {
  const found = PROGRAMS.map((name) => [name, requireClient(name)] as const);
  if (found.some(([, path]) => path === undefined)) return undefined;
  return Object.fromEntries(found) as unknown as Programs;
}

/** Starts a cluster; when that fails, whatever had been started is ended first. */
export async function startCeph(programs: Programs): Promise<CephCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-ceph-'));
  const processes: BoundProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(processes.map((one) => one.end()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ports = { monitor: await freePort(), gateway: await freePort() };
    const ceph = new Ceph(programs, folder, processes);
    await ceph.start(ports);
    const url = `http://127.0.0.1:${ports.gateway}`;
    await untilAnswers(url, processes);
    return {
      url,
      createUser: (user) => ceph.createUser(user),
      log: () => processes.at(-1)?.output ?? '',
      close,
    };
  } catch (cause) {
    const said = processes.map(({ name, output }) => `${name}: ${output}`).join('\n');
    await close();
    throw new Error(`Ceph did not start\n${said}`, { cause });
  }
}

async function untilAnswers(url: string, processes: readonly BoundProcess[]): Promise<void> {
  await until(async () => {
    const gone = processes.find((one) => one.hasEnded);
    if (gone !== undefined) throw new Error(`${gone.name} ended`);
    return await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
  }, START_LIMIT_MS);
}

const ADMIN_CAPS = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *'];

class Ceph {
  readonly #programs: Programs;
  readonly #folder: string;
  readonly #processes: BoundProcess[];

  constructor(programs: Programs, folder: string, processes: BoundProcess[]) {
    this.#programs = programs;
    this.#folder = folder;
    this.#processes = processes;
  }

  async start(ports: { readonly monitor: number; readonly gateway: number }): Promise<void> {
    const [cluster, disk] = [randomUUID(), randomUUID()];
    for (const name of ['mon', 'osd', 'run', 'rgw']) mkdirSync(this.#path(name));
    writeFileSync(this.#path('ceph.conf'), configuration({ folder: this.#folder, cluster, ...ports }));
    await this.#makeKeys();
    const monitor = `[v2:127.0.0.1:${ports.monitor}]`;
    await this.#run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', monitor, this.#path('monmap')]);
    const keyring = ['--keyring', this.#path('keyring')];
    await this.#run('ceph-mon', ['-i', 'a', '--mkfs', '--monmap', this.#path('monmap'), ...keyring]);
    this.#serve('ceph-mon', ['-i', 'a']);
    // The monitor learns of the disk before the disk reports; the id must be the same on both sides.
    await this.#run('ceph', ['osd', 'new', disk]);
    await this.#run('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', disk]);
    this.#serve('ceph-osd', ['-i', '0', '--osd-uuid', disk]);
    await this.#run('ceph', ['osd', 'crush', 'add', 'osd.0', '1', 'host=here', 'root=default']);
    this.#serve('radosgw', ['-n', 'client.rgw']);
  }

  async createUser(o: { readonly name: string; readonly tenant: string; readonly caps?: string }): Promise<CephUser> {
    const key = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
    await this.#run('radosgw-admin', [
      ...['user', 'create', '-n', 'client.rgw', '--uid', o.name, '--tenant', o.tenant, '--display-name', o.name],
      ...['--access-key', key.accessKeyId, '--secret-key', key.secretAccessKey],
      ...(o.caps === undefined ? [] : ['--caps', o.caps]),
    ]);
    return { ...key, tenant: o.tenant };
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #makeKeys(): Promise<void> {
    const make = (name: string, ...more: readonly string[]): Promise<void> =>
      this.#run('ceph-authtool', [this.#path('keyring'), '--gen-key', '-n', name, ...more]);
    await make('mon.', '--create-keyring', '--cap', 'mon', 'allow *');
    await make('client.admin', ...ADMIN_CAPS);
    await make('client.rgw', ...ADMIN_CAPS);
    await make('osd.0', '--cap', 'mon', 'allow profile osd', '--cap', 'osd', 'allow *');
  }

  async #run(program: keyof Programs, args: readonly string[]): Promise<void> {
    await run(this.#programs[program], this.#withConfiguration(args), { timeout: COMMAND_LIMIT_MS });
  }

  #serve(program: keyof Programs, args: readonly string[]): void {
    this.#processes.push(new BoundProcess(this.#programs[program], this.#withConfiguration(['-f', ...args])));
  }

  #withConfiguration(args: readonly string[]): readonly string[] {
    return [...args, '-c', this.#path('ceph.conf')];
  }
}

/** One of everything, nothing on disk but the monitor's few files, everything bound to loopback. */
const configuration = (o: { folder: string; cluster: string; monitor: number; gateway: number }): string => `[global]
fsid = ${o.cluster}
mon host = [v2:127.0.0.1:${o.monitor}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
keyring = ${o.folder}/keyring
run dir = ${o.folder}/run
admin socket =
log to file = false
mon cluster log to file = false
log to stderr = true
crash dir = ${o.folder}/run
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
mon data = ${o.folder}/mon
# Disks of development machines are often fuller than Ceph likes.
mon data avail warn = 1
mon data avail crit = 1
mon allow pool size one = true
paxos propose interval = 0.05
paxos min wait = 0.01
osd data = ${o.folder}/osd
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0

[client.rgw]
rgw data = ${o.folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${o.gateway}
rgw enable apis = s3, sts, iam
rgw s3 auth use sts = true
rgw sts key = ${randomBytes(8).toString('hex')}
`;
