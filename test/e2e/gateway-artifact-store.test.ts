// The example upstream as its own process behind the guard: what is stored is whole, and what is cut leaves nothing.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exchangeBytes, type GuardedResource, startGuardedResource, until } from '../fakes/guarded-resource.ts';
import { type ArtifactStore, startArtifactStore } from './artifact-store.ts';

let folder: string;
let store: ArtifactStore;
let world: GuardedResource;
let token: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-artifacts-'));
  store = await startArtifactStore(folder);
  world = await startGuardedResource({ upstream: store.url });
});

afterAll(async () => {
  await world.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  token = await world.sts.token();
});

const send = (path: string, init: RequestInit = {}) =>
  fetch(`${world.guardUrl}${path}`, { headers: { authorization: `Bearer ${token}` }, ...init });
const files = () => readdirSync(folder, { recursive: true }).map(String).sort();

describe('the artifact store behind the guard', () => {
  test('prints its URL and serves on it', async () => {
    expect(store.url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+$/);
    expect((await fetch(`${store.url}/web/none`)).status).toBe(404);
  });

  test('stores, replaces, gives back and deletes', async () => {
    const content = randomBytes(2_000_000);
    expect((await send('/web/a.bin', { method: 'PUT', body: content })).status).toBe(201);
    expect((await send('/web/a.bin', { method: 'PUT', body: content })).status).toBe(200);
    const head = await send('/web/a.bin', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '2000000']);
    expect(Buffer.from(await (await send('/web/a.bin')).arrayBuffer()).equals(content)).toBe(true);
    expect((await send('/web/a.bin', { method: 'DELETE' })).status).toBe(204);
    expect([(await send('/web/a.bin')).status, (await send('/web/a.bin', { method: 'DELETE' })).status]).toEqual([
      404, 404,
    ]);
  });

  test('stores an empty file', async () => {
    expect((await send('/web/empty', { method: 'PUT', body: '' })).status).toBe(201);
    expect(await (await send('/web/empty')).text()).toBe('');
  });

  test.each([
    '/web/.hidden',
    '/.unfinished-x',
    '/a/%2e%2e/b',
    '/',
    '/web/',
    '/../x',
    '/web/a%2fb',
    '/a/b/c/d/e/f/g/h/i',
  ])('takes no name like %s, even from somebody who reaches it directly', async (path) => {
    const before = files();
    const raw = `PUT ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`;
    expect((await exchangeBytes(Number(new URL(store.url).port), raw)).text).toMatch(/^HTTP\/1\.1 400 /);
    expect(files()).toEqual(before);
  });

  test('has nothing of an upload whose session ended before it was whole', async () => {
    const before = files();
    const req = request(`${world.guardUrl}/web/cut.bin`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-length': '100000' },
      agent: false,
    });
    req.on('error', () => {});
    req.write(randomBytes(50_000));
    await until(() => files().length > before.length);
    world.sts.ended.push({ sessionId: 'S0000000000AB', expiresAt: world.clock.nowSeconds() + 600 });
    await until(() => files().length === before.length);
    expect((await fetch(`${store.url}/web/cut.bin`)).status).toBe(404);
    req.destroy();
  });
});
