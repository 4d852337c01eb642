// The https identity of the development servers: kept while it lasts, made anew before it ends or when it is broken.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CountingRandom } from '../../../test/fakes/counting-random.ts';
import { developmentTls } from './development-tls.ts';

const NOW = 1_790_000_000;
const DAY = 86_400;
const random = new CountingRandom();
let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'jobpass-dev-tls-'));
  folder = join(root, 'tls');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (now = NOW) => developmentTls(folder, { now, random });

test('an identity is usable, its key is for its owner alone, and its authority has no key at all', () => {
  const { caFile, identity } = open();
  createSecureContext({ cert: identity.certificate, key: identity.key.reveal() });
  expect(readdirSync(folder).sort()).toEqual(['ca.pem', 'server.key', 'server.pem']);
  expect([statSync(folder).mode & 0o777, statSync(join(folder, 'server.key')).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(new X509Certificate(readFileSync(caFile)).ca).toBe(true);
  expect(readFileSync(caFile, 'utf8')).not.toContain('PRIVATE KEY');
});

test('an identity is kept until its last day', () => {
  const { identity } = open();
  expect(open(NOW + 29 * DAY).identity.certificate).toBe(identity.certificate);
  expect(open(NOW + 29 * DAY + 1).identity.certificate).not.toBe(identity.certificate);
});

test.each(['ca.pem', 'server.pem', 'server.key'])(
  'an identity whose %s is broken or another’s is made anew',
  (name) => {
    const { certificate } = open().identity;
    const own = readFileSync(join(folder, name), 'utf8');
    rmSync(folder, { recursive: true });
    const other = open().identity.certificate;
    for (const text of [own, 'nothing', '']) {
      writeFileSync(join(folder, name), text);
      const made = open().identity.certificate;
      expect([certificate, other]).not.toContain(made);
      expect(open().identity.certificate).toBe(made);
    }
    expect(statSync(join(folder, 'server.key')).mode & 0o777).toBe(0o600);
  },
);
