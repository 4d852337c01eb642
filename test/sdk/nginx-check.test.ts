// The check listener behind a real nginx with auth_request: nginx serves what the gateway allows and nothing else.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { freePort } from '../fakes/free-port.ts';
import { exchangeBytes, type GuardedResource, startGuardedResource, until } from '../fakes/guarded-resource.ts';

const nginx = requireClient('nginx');

/** The server of docs/integrations/nginx.md, at other addresses. */
function documentedServer(o: { port: number; checkUrl: string; upstreamUrl: string }): string {
  const page = readFileSync(new URL('../../docs/integrations/nginx.md', import.meta.url), 'utf8');
  const server = /^```nginx\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
  const replacements = [
    ['listen 127.0.0.1:8080;', `listen 127.0.0.1:${o.port};`],
    ['http://127.0.0.1:8704/check;', `${o.checkUrl}/check;`],
    ['http://127.0.0.1:9000;', `${o.upstreamUrl};`],
  ] as const;
  return replacements.reduce((text, [documented, here]) => {
    if (text.split(documented).length !== 2) throw new Error(`the page must say "${documented}" once`);
    return text.replace(documented, here);
  }, server);
}

/** What an operator writes, and lines that keep nginx in its own folder and in the foreground. */
const configuration = (o: { folder: string; port: number; checkUrl: string; upstreamUrl: string }) => `
daemon off;
master_process off;
pid ${o.folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path ${o.folder}/body;
  proxy_temp_path ${o.folder}/proxy;
  fastcgi_temp_path ${o.folder}/fastcgi;
  uwsgi_temp_path ${o.folder}/uwsgi;
  scgi_temp_path ${o.folder}/scgi;
  ${documentedServer(o)}
}
`;

describe.skipIf(nginx === undefined)('nginx with auth_request', () => {
  let world: GuardedResource;
  let child: ChildProcess;
  let folder: string;
  let port: number;
  let token: string;
  let errors = '';

  beforeAll(async () => {
    world = await startGuardedResource();
    folder = mkdtempSync(join(tmpdir(), 'jobpass-nginx-'));
    port = await freePort();
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration({ folder, port, checkUrl: world.checkUrl, upstreamUrl: world.upstreamUrl }));
    child = spawn(nginx ?? '', ['-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`nginx did not start: ${errors}`);
      return await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      );
    });
  });

  afterAll(async () => {
    child?.kill('SIGTERM');
    await until(() => child.exitCode !== null || child.signalCode !== null);
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    token = await world.sts.token();
    world.upstream.requests.length = 0;
  });

  const send = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` }, ...init });

  test('serves what the role permits, with method and path as they came, and says who came', async () => {
    const answer = await send('/web/a%20b?x=1', { method: 'PUT', body: 'content' });
    expect(answer.status).toBe(200);
    expect(world.upstream.requests.map((req) => [req.method, req.url])).toEqual([['PUT', '/web/a%20b?x=1']]);
    expect(world.upstream.requests[0]?.headers).toMatchObject({
      'x-jobpass-session': 'S0000000000AB',
      'x-jobpass-role': 'main/publish-web',
      'x-jobpass-subject': 'owner:acme@42:pipeline:web@7:environment:production',
    });
  });

  test('passes neither the credential nor forged identities on', async () => {
    const forged = { 'x-jobpass-role': 'main/admin', x_jobpass_role: 'main/admin', 'x.jobpass.role': 'main/admin' };
    await send('/web/a', { headers: { authorization: `Bearer ${token}`, ...forged } });
    expect(world.upstream.requests[0]?.headers['x-jobpass-role']).toBe('main/publish-web');
    expect(JSON.stringify(world.upstream.requests[0]?.rawHeaders)).not.toContain('admin');
    expect(world.upstream.received).toContain('main/publish-web');
    expect(world.upstream.received).not.toContain(token.split('.')[2]);
  });

  test.each([
    ['without a credential', '/web/a', { headers: {} }, 401, 'credential_missing'],
    ['with a bad credential', '/web/a', { headers: { authorization: 'Bearer x' } }, 401, 'token_malformed'],
    ['beyond the permissions', '/other/a', {}, 403, 'permission_denied'],
    ['with an ambiguous path', '/web/%2e%2e%2fother', {}, 403, 'path_refused'],
  ] as const)('refuses a request %s', async (_what, path, init, status, reason) => {
    const answer = await send(path, init);
    expect([answer.status, world.upstream.requests]).toEqual([status, []]);
    expect(answer.headers.has('www-authenticate')).toBe(status === 401);
    expect(world.log.lines.at(-1)).toMatchObject({ message: 'refused', fields: { reason } });
  });

  test('refuses headers that replace what was asked, and believes its own account of it over the caller’s', async () => {
    const override = { authorization: `Bearer ${token}`, 'x-http-method-override': 'DELETE' };
    expect((await send('/web/a', { headers: override })).status).toBe(403);
    const second = { authorization: `Bearer ${token}`, destination: '/other/a' };
    expect((await send('/web/a', { headers: second })).status).toBe(403);
    expect((await send('/web/a', { method: 'COPY' })).status).toBe(403);
    expect(world.upstream.requests).toEqual([]);
    const lie = { authorization: `Bearer ${token}`, 'x-original-uri': '/web/a', 'x-original-method': 'GET' };
    expect((await send('/other/a', { headers: lie })).status).toBe(403);
    expect(world.log.lines.at(-1)).toMatchObject({ fields: { reason: 'permission_denied', path: '/other/a' } });
  });

  test('refuses dot segments and doubled slashes instead of normalising them', async () => {
    for (const path of ['/web/../other/a', '/web//a', '/other/../web/a']) {
      const raw = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`;
      expect((await exchangeBytes(port, raw)).text).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(world.upstream.requests).toEqual([]);
  });

  test('refuses a session that ended, and everybody once the gateway is cut off from the STS', async () => {
    const other = await world.sts.token({ sessionId: 'S-other' });
    world.sts.ended.push({ sessionId: 'S0000000000AB', expiresAt: world.clock.nowSeconds() + 600 });
    await until(async () => (await send('/web/a')).status === 403);
    expect(world.log.lines.at(-1)).toMatchObject({ fields: { reason: 'session_ended' } });
    token = other;
    expect((await send('/web/a')).status).toBe(200);
    world.sts.reachable = false;
    await until(() => world.log.lines.some(({ message }) => message.includes('not heard')));
    world.clock.push(11_000);
    expect((await send('/web/a')).status).toBe(403);
    expect(world.log.lines.at(-1)).toMatchObject({ fields: { reason: 'feed_stale' } });
  });
});
