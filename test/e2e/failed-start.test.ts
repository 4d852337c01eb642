// A server that fails late in its start leaves nothing behind: the program ends with its error, and every address is free again.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobpass } from '../cli/jobpass.ts';
import { freePort } from '../fakes/free-port.ts';
import { listen } from '../fakes/guarded-resource.ts';

const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));
/** A program that something holds back would run until then. */
const TOO_LONG_MS = 20_000;

const KEYS = 'keys: { encryption_key: "file:kek" }';

describe('jobpass serve, when a start fails late', () => {
  let folder: string;
  let other: Server;
  let taken: number;
  let free: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-start-'));
    other = createServer();
    taken = await listen(other);
    free = await freePort();
    const write = (name: string): void =>
      writeFileSync(join(folder, name), `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    write('kek');
    write('secret');
    mkdirSync(join(folder, 'policies/main'), { recursive: true });
  });
  afterEach(() => {
    other.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const configure = (text: string): void => writeFileSync(join(folder, 'jobpass.yaml'), text);
  const serve = (): Promise<{ readonly code: unknown; readonly signal: unknown; readonly stderr: string }> =>
    new Promise((resolve) => {
      const options = { cwd: folder, timeout: TOO_LONG_MS, killSignal: 'SIGKILL' } as const;
      execFile(process.execPath, [MAIN, 'serve'], options, (error, _stdout, stderr) =>
        resolve({ code: error?.code, signal: error?.signal ?? null, stderr }),
      );
    });
  const requireFree = async (port: number): Promise<void> => {
    const probe = createServer();
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    await new Promise((resolve) => probe.close(resolve));
  };
  /** What was in the way is gone: the folder is as good as new. */
  const expectStart = async (text: string, ready: RegExp): Promise<void> => {
    configure(text);
    expect(await jobpass(['serve'], { folder, stopAt: ready })).toMatchObject({ code: 0 });
  };

  const issuer = (port: number, more = ''): string =>
    `issuer: { url: "http://127.0.0.1:${port}", ${KEYS}, clients: []${more} }\n`;
  const sts = (port: number): string =>
    `sts: { url: "http://127.0.0.1:${port}", ${KEYS}, trusted_issuers: [{ issuer: "http://127.0.0.1:${free}/ci", network: loopback, client: sts, secret: "file:secret" }], gateways: [], clients: [] }\n`;
  const gateway = (port: number, check: number): string =>
    `gateways: [{ name: web, ${KEYS}, listen: "127.0.0.1:${port}", check: { listen: "127.0.0.1:${check}", dialect: nginx }, upstream: "http://127.0.0.1:9", sts: { url: "http://127.0.0.1:${free}", network: loopback, secret: "file:secret" } }]\n`;

  test('an issuer whose port is taken', async () => {
    configure(issuer(taken));
    const { stderr, ...ended } = await serve();
    expect(ended).toEqual({ code: 4, signal: null });
    expect(stderr).toContain(`the issuer cannot listen on 127.0.0.1:${taken}: it is taken (ERR_LISTEN)`);
    expect(existsSync(join(folder, 'run/issuer.sock'))).toBe(false);
    await expectStart(issuer(free), /ready · stop/);
  });

  test('an issuer whose operators cannot be served', async () => {
    configure(issuer(free, ', admin: "unix:./kek/issuer.sock"'));
    const { stderr, ...ended } = await serve();
    expect(ended).toEqual({ code: 4, signal: null });
    expect(stderr).toMatch(/operators cannot be served on .*kek\/issuer.sock: \w+ \(ERR_LISTEN\) {3}hint: the socket/);
    await requireFree(free);
  });

  test('an STS whose port is taken', async () => {
    configure(sts(taken));
    const { stderr, ...ended } = await serve();
    expect(ended).toEqual({ code: 4, signal: null });
    expect(stderr).toContain(`the STS cannot listen on 127.0.0.1:${taken}: it is taken (ERR_LISTEN)`);
    expect(existsSync(join(folder, 'run/sts.sock'))).toBe(false);
    await expectStart(sts(free), /ready · stop/);
  });

  test('a gateway whose second port is taken', async () => {
    configure(gateway(free, taken));
    const { stderr, ...ended } = await serve();
    expect(ended).toEqual({ code: 4, signal: null });
    expect(stderr).toContain(`the check listener of web cannot listen on 127.0.0.1:${taken}: it is taken (ERR_LISTEN)`);
    await requireFree(free);
  });

  test('a program whose last server cannot start ends the others', async () => {
    const last = await freePort();
    configure(issuer(free) + gateway(last, taken));
    const { stderr, ...ended } = await serve();
    expect(ended).toEqual({ code: 4, signal: null });
    expect(stderr).toContain('the check listener of web cannot listen');
    expect(existsSync(join(folder, 'run/issuer.sock'))).toBe(false);
    await requireFree(free);
    await requireFree(last);
    await expectStart(issuer(free), /ready · stop/);
  });

  test('a server whose certificate cannot be read says so before it opens anything', async () => {
    configure(issuer(free, ', tls: { certificate: "file:none.pem", key: "file:none.key" }').replace('http:', 'https:'));
    const { stderr, ...ended } = await serve();
    expect(ended).toEqual({ code: 2, signal: null });
    expect(stderr).toContain('none.pem');
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});
