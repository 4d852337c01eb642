// What signals do to `jobpass serve`: reload, a stop that those in front of it see coming, and a stop at once.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { freePort } from '../fakes/free-port.ts';
import { until } from '../fakes/guarded-resource.ts';
import { makePrivateCa } from '../fakes/private-ca.ts';

const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));
const openssl = requireClient('openssl');

describe.skipIf(openssl === undefined)('serve', () => {
  let folder: string;
  let port: number;
  let child: ChildProcess;
  let said: string;

  const ask = (path: string): Promise<{ status: number; text: string; fingerprint: string }> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }, (answer) => {
        const socket = answer.socket as import('node:tls').TLSSocket;
        const { fingerprint256: fingerprint } = socket.getPeerCertificate();
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, fingerprint }));
      });
      sent.on('error', reject);
      sent.end();
    });

  const start = async (limits: string): Promise<void> => {
    writeFileSync(
      join(folder, 'jobpass.yaml'),
      `issuer: { url: "https://127.0.0.1:${port}", tls: { certificate: "file:server.pem", key: "file:server.key" }, keys: { encryption_key: "file:kek" }, clients: [] }
limits: ${limits}
`,
    );
    child = spawn(process.execPath, [MAIN, 'serve'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    said = '';
    const listen = (chunk: Buffer): void => {
      said += String(chunk);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    await until(() => said.includes('ready · stop'), 15_000);
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-signals-'));
    port = await freePort();
    writeFileSync(join(folder, 'kek'), `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    for (const name of ['one', 'two']) {
      mkdirSync(join(folder, name));
      makePrivateCa(openssl ?? '', join(folder, name));
    }
    install('one');
  });
  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const install = (name: string): void => {
    for (const file of ['server.pem', 'server.key']) copyFileSync(join(folder, name, file), join(folder, file));
  };

  test('shows a renewed certificate on SIGHUP, and goes on', async () => {
    await start('{}');
    const { fingerprint } = await ask('/healthz');
    install('two');
    child.kill('SIGHUP');
    await until(async () => (await ask('/healthz')).fingerprint !== fingerprint);
    expect(child.exitCode).toBeNull();
  });

  test('says that it is not ready on SIGTERM, answers until the drain is over, then ends well', async () => {
    await start('{ drain: 2s }');
    expect((await ask('/readyz')).status).toBe(200);
    child.kill('SIGTERM');
    await until(() => said.includes('stopping'));
    expect(await ask('/readyz')).toMatchObject({ status: 503, text: 'stopping\n' });
    expect((await ask('/.well-known/jwks')).status).toBe(200);
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    await expect(ask('/healthz')).rejects.toThrow();
  });

  test('does not wait when nobody watches', async () => {
    await start('{ drain: 60s }');
    const startedAt = performance.now();
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test('ends at once on the second signal', async () => {
    await start('{ drain: 60s }');
    await ask('/readyz');
    child.kill('SIGTERM');
    await until(() => said.includes('stopping'));
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[1]).toBe('SIGTERM');
  });
});
