// A listener whose certificate is renewed in place: who shakes hands afterwards sees the new one, and a broken pair changes nothing.
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planTls } from '../../src/app/config/plan-tls.ts';
import { ProblemList } from '../../src/app/config/problem-list.ts';
import { createListener } from '../../src/app/server/listener.ts';
import { type KeptIdentity, keepIdentity } from '../../src/app/server/tls-reload.ts';
import { requireClient } from '../clients.ts';
import { listen } from '../fakes/guarded-resource.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { makePrivateCa } from '../fakes/private-ca.ts';

const openssl = requireClient('openssl');

describe.skipIf(openssl === undefined)('a certificate that is renewed in place', () => {
  let folder: string;
  let kept: KeptIdentity | null;
  let port: number;
  const log = new MemoryLog();
  const server = { close: () => {} };
  const file = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-renewal-'));
    for (const name of ['old', 'new']) {
      mkdirSync(file(name));
      makePrivateCa(openssl ?? '', file(name));
    }
    install('old', 'old');
    const problems = new ProblemList({ file: 'a', positionOf: () => ({ line: 1, column: 1 }) });
    const section = { certificate: 'file:server.pem', key: 'file:server.key' };
    const identity = planTls(section, ['tls'], { places: { folder, env: {} }, problems });
    expect(problems.list).toEqual([]);
    const listener = createListener({}, identity, (_req, res) => res.end('ok'));
    server.close = () => listener.close();
    port = await listen(listener);
    kept = keepIdentity(listener, identity, log);
  });
  afterAll(() => {
    kept?.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Puts the certificate of one and the key of another in place. */
  const install = (certificate: string, key: string): void => {
    copyFileSync(file(`${certificate}/server.pem`), file('server.pem'));
    copyFileSync(file(`${key}/server.key`), file('server.key'));
  };
  const shake = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  };
  const shown = async (): Promise<string> => {
    const socket = await shake();
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return (
      ['old', 'new'].find((name) => raw.equals(derOf(readFileSync(file(`${name}/server.pem`), 'utf8')))) ?? 'another'
    );
  };
  const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

  test('is shown to whoever shakes hands after it was read again, and connections that stand go on', async () => {
    expect(await shown()).toBe('old');
    const standing = await shake();
    install('new', 'new');
    expect(await shown()).toBe('old');
    kept?.reload();
    expect(await shown()).toBe('new');
    standing.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(String((await once(standing, 'data'))[0])).toMatch(/^HTTP\/1\.1 200/);
    standing.destroy();
    expect(log.lines.map(({ message }) => message)).toEqual(['a new certificate is shown from now on']);
  });

  test.each<[string, () => void]>([
    ['certificate and key do not belong together', () => install('old', 'new')],
    [
      'the key is half written',
      () => writeFileSync(file('server.key'), readFileSync(file('new/server.key')).subarray(0, 80)),
    ],
    ['the certificate is gone', () => rmSync(file('server.pem'))],
    ['the key can be read by others', () => writeFileSync(file('server.key'), 'x', { mode: 0o644 })],
  ])('stays the one it was when %s, which is said once', async (_what, spoil) => {
    install('new', 'new');
    kept?.reload();
    log.lines.length = 0;
    spoil();
    for (let time = 0; time < 3; time += 1) kept?.reload();
    expect(await shown()).toBe('new');
    expect(log.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'error: the certificate stays the one it was',
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('PRIVATE KEY');
    rmSync(file('server.key'), { force: true });
  });

  test('tells when it expires', () => {
    const inSeconds = (kept?.expiresAt() ?? 0) - Date.now() / 1000;
    expect(inSeconds).toBeGreaterThan(3600);
    expect(inSeconds).toBeLessThan(2 * 86_400);
  });
});
