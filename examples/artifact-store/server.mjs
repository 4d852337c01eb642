// A small artifact store over HTTP: PUT, GET, HEAD and DELETE of files in one folder. It knows nothing of Jobpass and trusts
// whoever reaches it, which is why it listens on the loopback and something else decides who may come this far.
//
//   node server.mjs --listen 127.0.0.1:9000 --folder ./artifacts
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

const USAGE = 'usage: node server.mjs --listen HOST:PORT --folder DIR';
/** A name: letters, digits and a few signs, never beginning with a dot (our own unfinished files do). */
const SEGMENT = /^[A-Za-z0-9_@+=,-][A-Za-z0-9._@+=,-]{0,127}$/;
const MAX_DEPTH = 8;
const UNFINISHED = '.unfinished-';

/** The file that a request target names below `folder`, or undefined when it is not a safe name. */
function fileOf(folder, target) {
  const path = target.split('?', 1)[0] ?? '';
  const segments = path.slice(1).split('/');
  const safe = path.startsWith('/') && segments.length <= MAX_DEPTH && segments.every((name) => SEGMENT.test(name));
  return safe ? join(folder, ...segments) : undefined;
}

/** Stores the body whole or not at all: 201 for a new file, 200 for one that was replaced. */
async function put(file, folder, request, response) {
  const unfinished = join(folder, `${UNFINISHED}${randomUUID()}`);
  try {
    await pipeline(request, createWriteStream(unfinished, { flags: 'wx' }));
    const existed = await isFile(file);
    await mkdir(dirname(file), { recursive: true });
    await rename(unfinished, file);
    answer(response, existed ? 200 : 201, existed ? 'replaced\n' : 'stored\n');
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
}

async function get(file, request, response) {
  const handle = await open(file);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return answer(response, 404, 'not found\n');
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': stat.size });
    if (request.method === 'HEAD') return response.end();
    // Never more than was promised, should the file grow meanwhile.
    const range =
      stat.size === 0 ? undefined : createReadStream(file, { fd: handle, end: stat.size - 1, autoClose: false });
    return range === undefined ? response.end() : await pipeline(range, response);
  } finally {
    await handle.close();
  }
}

async function remove(file, response) {
  if (!(await isFile(file))) return answer(response, 404, 'not found\n');
  await rm(file);
  response.writeHead(204).end();
}

async function isFile(file) {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    return (await handle.stat()).isFile();
  } finally {
    await handle.close();
  }
}

function answer(response, status, text) {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

async function serve(folder, request, response) {
  const file = fileOf(folder, request.url ?? '');
  if (file === undefined) return answer(response, 400, 'not a name this store takes\n');
  switch (request.method) {
    case 'PUT':
      return put(file, folder, request, response);
    case 'GET':
    case 'HEAD':
      return get(file, request, response);
    case 'DELETE':
      return remove(file, response);
    default:
      response.setHeader('allow', 'PUT, GET, HEAD, DELETE');
      return answer(response, 405, 'PUT, GET, HEAD, DELETE\n');
  }
}

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST']);

function fail(request, response, cause) {
  if (response.headersSent || response.destroyed) return response.destroy();
  if (NOT_THERE.has(cause?.code)) {
    return request.method === 'PUT'
      ? answer(response, 409, 'in the way of another name\n')
      : answer(response, 404, 'not found\n');
  }
  return answer(response, cause?.code === 'ENOSPC' ? 507 : 500, 'could not be done\n');
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { listen: { type: 'string' }, folder: { type: 'string' } } });
    const match = /^(\[[0-9a-f:]+\]|[^:]+):([0-9]{1,5})$/i.exec(values.listen ?? '');
    if (match === null || values.folder === undefined) return undefined;
    return { host: match[1].replace(/^\[|\]$/g, ''), port: Number(match[2]), folder: resolve(values.folder) };
  } catch {
    return undefined;
  }
}

const settings = readArguments();
if (settings === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
await mkdir(settings.folder, { recursive: true });
for (const name of await readdir(settings.folder)) {
  if (name.startsWith(UNFINISHED)) await rm(join(settings.folder, name), { force: true });
}
const server = createServer((request, response) => {
  serve(settings.folder, request, response).catch((cause) => fail(request, response, cause));
});
server.requestTimeout = 0;
server.on('error', (cause) => {
  process.stderr.write(`artifact store: cannot listen on ${settings.host}:${settings.port}: ${cause.code}\n`);
  process.exit(1);
});
server.listen(settings.port, settings.host, () => {
  const { address, port, family } = server.address();
  process.stdout.write(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
