// The systemd units, the container files and their configurations: what systemd and the program themselves say of them.
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadPlan, readConfig } from '../../src/app/config/load.ts';
import { requireClient } from '../clients.ts';

const SERVERS = ['issuer', 'sts', 'gateway'] as const;
const systemd = requireClient('systemd-analyze');
const openssl = requireClient('openssl');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-units-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const unitOf = (server: string): string => readFileSync(`deploy/systemd/jobpass-${server}.service`, 'utf8');

describe.each(SERVERS)('the unit of the %s', (server) => {
  /** With a program that there is. */
  const path = (): string => {
    const file = join(folder, `jobpass-${server}.service`);
    writeFileSync(file, unitOf(server).replace('/usr/bin/jobpass', process.execPath));
    return file;
  };

  test.skipIf(systemd === undefined)('is one that systemd finds no fault with', () => {
    const { status, stderr } = spawnSync(systemd ?? '', ['verify', path()], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  test.skipIf(systemd === undefined)('is exposed to little, by systemd’s own measure', () => {
    const { status, stdout } = spawnSync(
      systemd ?? '',
      ['security', '--no-pager', '--offline=yes', '--threshold=15', path()],
      { encoding: 'utf8' },
    );
    expect(stdout).toMatch(/Overall exposure level for .*: 1\.[0-9] OK/);
    expect(status).toBe(0);
  });

  test('is given every credential that its configuration names, and no other', () => {
    const given = [...unitOf(server).matchAll(/^LoadCredential=([^:]+):/gm)].map(([, name]) => name);
    const named = [...readFileSync(`deploy/config/${server}.yaml`, 'utf8').matchAll(/credential:([a-z-]+)/g)].map(
      ([, name]) => name,
    );
    expect(given.toSorted()).toEqual([...new Set(named)].toSorted());
  });

  test('keeps its state where its configuration says', () => {
    const kept = readFileSync(`deploy/config/${server}.yaml`, 'utf8').match(/\/(?:var\/lib|run)\/[a-z-]+/g) ?? [];
    const [, state = ''] = /^StateDirectory=(.*)$/m.exec(unitOf(server)) ?? [];
    const [, runtime = ''] = /^RuntimeDirectory=(.*)$/m.exec(unitOf(server)) ?? [];
    const made = [...state.split(' ').map((name) => `/var/lib/${name}`), `/run/${runtime}`];
    expect(kept.filter((path) => !made.includes(path))).toEqual([]);
    expect(kept.length).toBeGreaterThan(0);
  });
});

describe.skipIf(openssl === undefined)('the configurations that prepare.sh makes', () => {
  const made = (): string => join(folder, 'private');
  beforeAll(() => {
    execFileSync('bash', ['deploy/config/prepare.sh', made()], { stdio: 'pipe' });
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(made(), 'sts/gateway.pub'), JSON.stringify(publicKey.export({ format: 'jwk' })));
  });

  test.each(SERVERS)('are good for the %s', (server) => {
    const document = readConfig(`${server}.yaml`, join(made(), server));
    const plan = document.ok
      ? loadPlan(document.value, { CREDENTIALS_DIRECTORY: join(made(), server, 'credentials') })
      : document;
    expect(plan.ok ? [] : plan.error).toEqual([]);
  });

  test('trust each other by one authority, and nobody else by it', () => {
    for (const server of SERVERS) {
      const name = `${server}.example.internal`;
      execFileSync(openssl ?? '', [
        'verify',
        '-CAfile',
        join(made(), 'ca.pem'),
        '-verify_hostname',
        name,
        join(made(), server, `${server}.pem`),
      ]);
    }
    const text = execFileSync(openssl ?? '', ['x509', '-in', join(made(), 'ca.pem'), '-noout', '-text'], {
      encoding: 'utf8',
    });
    expect(text).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:example\.internal/);
  });

  test('are made once: what is there is not overwritten', () => {
    expect(spawnSync('bash', ['deploy/config/prepare.sh', made()]).status).not.toBe(0);
  });
});

describe('the Compose file', () => {
  interface Service {
    readonly user?: string;
    readonly read_only?: boolean;
    readonly cap_drop?: readonly string[];
    readonly security_opt?: readonly string[];
    readonly command: readonly string[];
    readonly secrets: readonly { readonly source: string; readonly target: string }[];
    readonly volumes: readonly string[];
    readonly tmpfs: readonly string[];
  }
  const compose = parse(readFileSync('deploy/compose/compose.yaml', 'utf8'), { merge: true });
  const services: Readonly<Record<string, Service>> = compose.services;

  test.each(SERVERS)(
    'runs the %s as nobody, on a root that it cannot write to, with what its configuration names',
    (server) => {
      const service = services[server];
      expect(service).toMatchObject({
        user: '10001:10001',
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        command: ['serve', '--config', `/etc/jobpass/${server}.yaml`],
      });
      const config = readFileSync(`deploy/config/${server}.yaml`, 'utf8');
      const named = [...config.matchAll(/credential:([a-z-]+)/g)].map(([, name]) => name);
      expect(service?.secrets.map(({ target }) => target).toSorted()).toEqual([...new Set(named)].toSorted());
      expect((service?.secrets ?? []).filter(({ source }) => !Object.hasOwn(compose.secrets, source))).toEqual([]);
      const writable = [...(service?.volumes ?? []), ...(service?.tmpfs ?? [])].join(' ');
      for (const path of config.match(/\/(?:var\/lib|run)\/[a-z-]+/g) ?? []) expect(writable).toContain(path);
    },
  );

  test('mounts volumes that there are', () => {
    const mounted = Object.values(services).flatMap(({ volumes }) => volumes.map((one) => one.split(':')[0] ?? ''));
    expect(mounted.filter((name) => !name.startsWith('.') && !Object.hasOwn(compose.volumes, name))).toEqual([]);
  });
});

test('the image copies what the build writes, and everything that the build reads gets into it', () => {
  const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
  expect(dockerfile).toMatch(/^USER 10001:10001$/m);
  expect(dockerfile).toContain('COPY --from=build /src/dist /opt/jobpass/dist');
  const allowed = readFileSync('deploy/Dockerfile.dockerignore', 'utf8').split('\n');
  for (const needed of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.declarations.json',
    'scripts/**',
    'src/**',
  ])
    expect(allowed).toContain(`!${needed}`);
});
