// What the container and the units promise, without either: the bundle runs as another user, without any right, with a root that cannot
// be written to, in namespaces of its own. Needs root and unshare; the image itself is built by nobody here.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { freePort } from '../fakes/free-port.ts';
import { until } from '../fakes/guarded-resource.ts';

const UID = 10_001;
const DIST = resolve(import.meta.dirname, '../../dist');
const SCRIPT = `
set -e
mount --make-rprivate /
mount --bind "$STATE" "$STATE"
mount -t tmpfs -o size=16m,mode=1777 tmpfs "$FOLDER/tmp"
mount -t proc -o subset=pid proc /proc
awk '{ print $5 }' /proc/self/mountinfo | sort -u | while read -r at; do
  case "$at" in "$STATE"|"$FOLDER/tmp"|/proc*|/sys*|/dev*) continue ;; esac
  mount -o remount,bind,ro "$at" 2>/dev/null || true
done
if touch /written 2>/dev/null; then echo 'the root can be written to'; exit 99; fi
exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
  env TMPDIR="$FOLDER/tmp" CREDENTIALS_DIRECTORY="$FOLDER/credentials" "$FOLDER/node" "$FOLDER/dist/jobpass.js" serve --config "$FOLDER/etc/jobpass.yaml"
`;

const unshare = requireClient('unshare');
const setpriv = requireClient('setpriv');
const namespaced =
  unshare !== undefined &&
  setpriv !== undefined &&
  process.getuid?.() === 0 &&
  spawnSync(unshare, ['--mount', '--pid', '--fork', 'true']).status === 0;
if (!namespaced) process.stderr.write('skipped: a read-only root needs root and the right to make namespaces\n');
const isBuilt = existsSync(join(DIST, 'jobpass.js'));
if (!isBuilt) process.stderr.write('skipped: dist/ is not there (npm run build)\n');

describe.skipIf(!namespaced || !isBuilt)(
  'issuer, STS and gateway on a read-only root, as a user without rights',
  () => {
    let folder: string;
    let child: ChildProcess;
    let said = '';
    let watch: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'jobpass-sealed-'));
      chmodSync(folder, 0o755);
      for (const name of ['tmp', 'state', 'credentials', 'etc', 'etc/policies', 'etc/policies/main'])
        mkdirSync(join(folder, name));
      cpSync(DIST, join(folder, 'dist'), { recursive: true });
      copyFileSync(process.execPath, join(folder, 'node'));
      chmodSync(join(folder, 'node'), 0o755);
      const give = (name: string, text: string): void => {
        const path = join(folder, 'credentials', name);
        writeFileSync(path, text, { mode: 0o400 });
        chownSync(path, UID, UID);
      };
      give('encryption-key', randomBytes(32).toString('base64url'));
      give('secret', randomBytes(32).toString('base64url'));
      for (const owned of ['state', 'credentials']) chownSync(join(folder, owned), UID, UID);
      const [issuer, sts, gateway, health] = [await freePort(), await freePort(), await freePort(), await freePort()];
      watch = `http://127.0.0.1:${health}`;
      const state = join(folder, 'state');
      const keys = 'keys: { encryption_key: credential:encryption-key }';
      const own = (name: string): string =>
        `${keys}, storage: "sqlite:${state}/${name}.db", witness: "${state}/${name}.json", admin: "unix:${state}/${name}.sock"`;
      writeFileSync(
        join(folder, 'etc/jobpass.yaml'),
        `issuer: { url: "http://127.0.0.1:${issuer}", ${own('issuer')}, clients: [] }
sts: { url: "http://127.0.0.1:${sts}", ${own('sts')}, trusted_issuers: [{ issuer: "http://127.0.0.1:${issuer}", network: loopback }] }
gateways: [{ name: web, listen: "127.0.0.1:${gateway}", ${keys}, storage: "sqlite:${state}/gateway.db",
  s3: { buckets: [{ name: artifacts }], folder: "${state}/objects" },
  sts: { url: "http://127.0.0.1:${sts}", network: loopback, secret: credential:secret } }]
observability: { listen: "127.0.0.1:${health}" }
`,
      );
      child = spawn(unshare ?? '', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', SCRIPT], {
        env: { PATH: process.env.PATH ?? '', FOLDER: folder, STATE: state },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const listen = (chunk: Buffer): void => {
        said += String(chunk);
      };
      child.stdout?.on('data', listen);
      child.stderr?.on('data', listen);
      await until(
        async () =>
          child.exitCode !== null ||
          (await fetch(`${watch}/healthz`).then(
            (answer) => answer.ok,
            () => false,
          )),
        20_000,
      );
    });
    afterAll(async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    });

    /** The server itself: `unshare` and the init of the namespace are its parents. */
    const serverPid = (): number =>
      Number(
        readdirSync('/proc').find((pid) => {
          if (!/^[0-9]+$/.test(pid)) return false;
          try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(join(folder, 'node'));
          } catch {
            return false;
          }
        }),
      );

    test('all serve, on a root that cannot be written to', async () => {
      expect(said).not.toContain('can be written to');
      expect([child.exitCode, said.includes('"level":50')]).toEqual([null, false]);
      const metrics = await (await fetch(`${watch}/metrics`)).text();
      for (const server of ['issuer', 'sts']) expect(metrics).toContain(`jobpass_ready{server="${server}"} 1`);
      expect(readdirSync(join(folder, 'state'))).toEqual(expect.arrayContaining(['issuer.db', 'sts.db', 'objects']));
    });

    test('the process is another user’s, has no right and can get none', () => {
      const status = readFileSync(`/proc/${serverPid()}/status`, 'utf8');
      expect(status).toMatch(new RegExp(`^Uid:\\t${UID}\\t${UID}\\t${UID}\\t${UID}$`, 'm'));
      for (const set of ['CapPrm', 'CapEff', 'CapBnd']) expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'));
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    });

    test('SIGTERM ends it in order', async () => {
      process.kill(serverPid(), 'SIGTERM');
      const [code] = await once(child, 'exit');
      expect([code, said.includes('stopping')]).toEqual([0, true]);
    });
  },
);
