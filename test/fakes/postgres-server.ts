// A real PostgreSQL of its own for one test file: Debian's 15 or the 18 from npm, on loopback, gone with the process. Test code.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { type PostgresVersion, postgresAccount, postgresPrograms, reachablePrograms } from './postgres-programs.ts';

export interface PostgresOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Server settings by name, beside those that keep it small. `fsync: 'off'` only where nothing is killed. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The superuser's. Without one, everybody on loopback is trusted. */
  readonly password?: string;
}

/** `fast` ends every connection, `immediate` leaves a crash to recover from, `kill` takes the postmaster alone. */
export type StopMode = 'fast' | 'immediate' | 'kill';

const START_MS = 20_000;
const STOP_SIGNALS: Readonly<Record<StopMode, NodeJS.Signals>> = {
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
  kill: 'SIGKILL',
};
const SMALL: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '32MB',
  max_wal_senders: '4',
  wal_level: 'replica',
};

interface Parts {
  readonly version: PostgresVersion;
  readonly programs: string;
  readonly port: number;
  readonly folder: string;
  readonly options: PostgresOptions;
}

/** A server with a data folder of its own. `stop` and `start` may follow each other: port and data stay. */
export class PostgresServer {
  readonly version: PostgresVersion;
  readonly port: number;
  /** Its data and its log, and room for whatever belongs to it; removed by `destroy`. */
  readonly folder: string;
  readonly #parts: Parts;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.version = parts.version;
    this.port = parts.port;
    this.folder = parts.folder;
  }

  /** Makes a data folder and starts. Precondition: `postgresPrograms(version)` found them. */
  static async start(version: PostgresVersion, options: PostgresOptions = {}): Promise<PostgresServer> {
    const server = await PostgresServer.#prepare(version, options);
    server.#makeData();
    await server.start();
    return server;
  }

  static async #prepare(version: PostgresVersion, options: PostgresOptions): Promise<PostgresServer> {
    const found = postgresPrograms(version);
    if (found === undefined) throw new Error(`PostgreSQL ${version} is not installed`);
    const folder = mkdtempSync(join(tmpdir(), `jobpass-postgres-${version}-`));
    const account = postgresAccount();
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
    const programs = reachablePrograms(found, folder);
    return new PostgresServer({ version, programs, port: options.port ?? (await freePort()), folder, options });
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  #run(program: string, args: readonly string[]): void {
    const env = { ...process.env, PGPASSWORD: this.#parts.options.password };
    const options = { ...postgresAccount(), cwd: this.folder, stdio: 'pipe', env } as const;
    execFileSync(join(this.#parts.programs, program), args, options);
  }

  /** ICU sorts otherwise than bytes do: statements that depend on the order of texts without saying so are found. */
  #makeData(): void {
    const { password } = this.#parts.options;
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en'];
    const file = join(this.folder, 'password');
    writeFileSync(file, `${password ?? 'none'}\n`);
    const method = password === undefined ? 'trust' : 'scram-sha-256';
    this.#run('initdb', [
      ...['-D', this.#data, '-U', 'postgres', '-A', method, '--pwfile', file, '--no-sync'],
      ...locale,
    ]);
  }

  /** Starts on the data that is there; resolves when it takes connections. */
  async start(): Promise<void> {
    const { options, programs } = this.#parts;
    const log = openSync(join(this.folder, 'log'), 'a');
    const settings = Object.entries({ ...SMALL, ...options.settings, port: String(this.port) });
    const args = ['-D', this.#data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    const postmaster = spawn(join(programs, 'postgres'), args, {
      ...postgresAccount(),
      cwd: this.folder,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#process = postmaster;
    const quit = (): void => {
      this.thaw();
      postmaster.kill('SIGQUIT');
    };
    process.once('exit', quit);
    postmaster.once('exit', () => process.off('exit', quit));
    await this.#untilReady(postmaster);
  }

  /** The last line of its lock file says when. */
  async #untilReady(postmaster: ChildProcess): Promise<void> {
    const until = performance.now() + START_MS;
    for (;;) {
      const lines = readIfThere(join(this.#data, 'postmaster.pid')).split('\n');
      if (lines[0] === String(postmaster.pid) && /^(ready|standby)/.test(lines[7] ?? '')) return;
      if (postmaster.exitCode !== null || performance.now() > until)
        throw new Error(`PostgreSQL ${this.version} did not start:\n${this.log().slice(-2000)}`);
      await sleep(10);
    }
  }

  /** Resolves when the server is gone. Stopping one that does not run is allowed. */
  async stop(mode: StopMode): Promise<void> {
    const postmaster = this.#process;
    this.#process = undefined;
    if (postmaster === undefined || postmaster.exitCode !== null || postmaster.signalCode !== null) return;
    const children = childrenOf(postmaster.pid);
    const exited = once(postmaster, 'exit');
    postmaster.kill(STOP_SIGNALS[mode]);
    this.#signalAll('SIGCONT', [postmaster.pid, ...children]);
    await exited;
    // Orphans of a killed postmaster end by themselves; until then they keep a new one from starting.
    while (children.some(isAlive)) await sleep(10);
  }

  /** Every process of the server stops where it stands: connections stay open and nothing answers. */
  freeze(): void {
    const pid = this.#process?.pid;
    // The postmaster first, so that no further process comes to be.
    this.#signalAll('SIGSTOP', [pid]);
    this.#signalAll('SIGSTOP', childrenOf(pid));
  }

  /** Ends a `freeze`. */
  thaw(): void {
    const pid = this.#process?.pid;
    this.#signalAll('SIGCONT', [...childrenOf(pid), pid]);
  }

  #signalAll(signal: NodeJS.Signals, pids: readonly (number | undefined)[]): void {
    for (const pid of pids) {
      try {
        if (pid !== undefined && isAlive(pid)) process.kill(pid, signal);
      } catch {
        // It ended in between.
      }
    }
  }

  /** A URL for the program's configuration, the password in it where there is one. */
  url({ database = 'postgres', user = 'postgres', password = this.#parts.options.password, query = '' } = {}): string {
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
    return `postgres://${user}${secret}@127.0.0.1:${this.port}/${database}${query}`;
  }

  /** Runs SQL as the superuser, on a connection of its own. */
  async query(sql: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url({ database }) });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Makes an empty database and gives its name. */
  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return name;
  }

  /** A streaming standby on a port of its own. Only 15 has the program that makes it. `promote` makes it a primary. */
  async standby(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const { options, version } = this.#parts;
    const follower = await PostgresServer.#prepare(version, {
      ...options,
      port: await freePort(),
      settings: { ...options.settings, ...settings },
    });
    const source = ['-d', this.url()];
    follower.#run('pg_basebackup', [...source, '-D', follower.#data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']);
    await follower.start();
    return follower;
  }

  /** Resolves when the standby takes writes, on a timeline of its own. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true, 20)');
  }

  /** What it logged. */
  log(): string {
    return readIfThere(join(this.folder, 'log'));
  }

  /** Stops it and removes its folder. */
  async destroy(): Promise<void> {
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The processes that `pid` started: its backends, when it is a postmaster. */
function childrenOf(pid: number | undefined): readonly number[] {
  const text = pid === undefined ? '' : readIfThere(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  return readIfThere(`/proc/${pid}/stat`) !== '' && !/\) [ZX] /.test(readIfThere(`/proc/${pid}/stat`));
}
