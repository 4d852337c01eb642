// What both measurements are built from: clocks, randomness, keys and the raw signing rates.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../src/base/ports/clock.ts';
import type { HttpRequest, Route } from '../src/base/ports/http.ts';
import type { Log } from '../src/base/ports/log.ts';
import type { Random } from '../src/base/ports/random.ts';
import type { Subject } from './measure.ts';

export const clock: Clock = {
  nowSeconds: () => Math.floor(Date.now() / 1000),
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const random: Random = { bytes: (length) => randomBytes(length) };

const silent = () => {};
export const log: Log = { info: silent, warn: silent, error: (fields, message) => console.error(message, fields) };

/** As long as the signed part of an ID token with all claims. */
const SIGNED_BYTES = 1400;

export const RAW = 'raw sign, one thread';
export const RAW_POOL = 'raw sign, thread pool';

/** `crypto.sign` with a bare KeyObject, nothing around it: what the machine can do. */
export function rawSigning(): readonly Subject[] {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const input = randomBytes(SIGNED_BYTES);
  const inPool = () =>
    new Promise<void>((resolve, reject) => {
      sign('sha256', input, privateKey, (error) => (error === null ? resolve() : reject(error)));
    });
  return [
    { name: RAW, concurrency: 1, run: () => sign('sha256', input, privateKey) },
    { name: RAW_POOL, concurrency: 32, run: inPool },
  ];
}

/** A folder on the disk that the system's temporary folder is on; `remove` deletes it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'jobpass-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** A request as app/server hands it to a route. */
export const httpRequest = (request: Partial<HttpRequest>): HttpRequest => ({
  method: 'GET',
  params: {},
  query: '',
  headers: {},
  body: new Uint8Array(),
  remoteAddress: '127.0.0.1',
  signal: new AbortController().signal,
  ...request,
});

/** The route of this method and path. Throws when the wing does not offer it. */
export function routeOf(routes: readonly Route[], method: string, path: string): Route {
  const found = routes.find((route) => route.method === method && route.path === path);
  if (found === undefined) throw new Error(`no route ${method} ${path}`);
  return found;
}

/** Runs the handler and throws unless it answers `wanted`. */
export async function answering(route: Route, request: HttpRequest, wanted: number): Promise<string> {
  const { status, body } = await route.handle(request);
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  if (status !== wanted) throw new Error(`answered ${status}: ${text}`);
  return text;
}
