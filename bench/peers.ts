// The servers that ours are measured against, each started for one measurement and ended with it.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { listen, until } from '../test/fakes/guarded-resource.ts';
import { BoundProcess } from '../test/sdk/ceph-rgw/bound-process.ts';
import { message } from './aws-requests.ts';

const START_LIMIT_MS = 30_000;

export interface Peer {
  readonly port: number;
  readonly cpuSeconds: () => number;
  close(): Promise<void>;
}

export const portOf = (url: string): number => Number(new URL(url).port);

/** moto's server of every AWS service, on these cores only. */
export async function startMoto(program: string, cores: string): Promise<Peer> {
  const port = await freePort();
  return await serving('taskset', ['-c', cores, program, '-H', '127.0.0.1', '-p', String(port)], port);
}

/** Linux counts hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** What a process used of the machine's cores, its threads that are gone included. Linux only; 0 elsewhere. */
export function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return 0;
  // The name, the one field that may hold spaces, is in parentheses; proc(5): utime and stime are fields 14 and 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The first child of the guard is the program. */
function cpuOf({ guardPid }: BoundProcess): () => number {
  if (process.platform !== 'linux') return () => 0;
  const [program = ''] = readFileSync(`/proc/${guardPid}/task/${guardPid}/children`, 'utf8').split(' ');
  return () => cpuSeconds(Number(program));
}

const LEAST = join(import.meta.dirname, 'least-server.ts');

/** Our own server without what makes it one, on these cores only; its database is in `folder`. With URLs of issuer and STS it judges. */
export async function startLeast(folder: string, cores: string, urls: readonly string[] = []): Promise<Peer> {
  const started = new BoundProcess('taskset', ['-c', cores, process.execPath, LEAST, folder, ...urls]);
  const port = (): number => Number(/^port ([0-9]+)$/m.exec(started.output)?.[1] ?? 0);
  await until(async () => {
    if (started.hasEnded) throw new Error(`${LEAST}: ${started.output}`);
    return port() > 0;
  }, START_LIMIT_MS);
  return { port: port(), cpuSeconds: cpuOf(started), close: () => started.end() };
}

/** nginx with one worker, and the request for the file with `content`. */
export async function startNginx(
  program: string,
  { folder, content }: { readonly folder: string; readonly content: Uint8Array },
): Promise<Peer & { readonly request: Buffer }> {
  const port = await freePort();
  writeFileSync(join(folder, 'large'), content);
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(folder, port));
  const peer = await serving(program, ['-p', folder, '-c', join(folder, 'nginx.conf')], port);
  return { ...peer, request: message(['GET /large HTTP/1.1', `host: 127.0.0.1:${port}`]) };
}

const nginxConfiguration = (folder: string, port: number): string => `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`;

async function serving(program: string, args: readonly string[], port: number): Promise<Peer> {
  const started = new BoundProcess(program, args);
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  await until(async () => {
    if (started.hasEnded) throw new Error(`${program} ${args.join(' ')}: ${started.output}`);
    return await answers();
  }, START_LIMIT_MS);
  return { port, cpuSeconds: cpuOf(started), close: () => started.end() };
}

/** One that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
