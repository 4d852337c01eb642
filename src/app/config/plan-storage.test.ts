import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parsePostgresUrl } from './plan-storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'jobpass-storage-'));
afterAll(() => rmSync(folder, { recursive: true }));
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
writeFileSync(join(folder, 'ca.pem'), PEM);
writeFileSync(join(folder, 'empty.pem'), '');

const parse = (text: string, mayHoldPassword = false) => parsePostgresUrl(text, { folder, mayHoldPassword });

test('the URL of a PostgreSQL says host, port, user and database', () => {
  const found = parse('postgres://app@db.example.com:6432/ci');
  expect(found).toMatchObject({
    ok: true,
    value: { host: 'db.example.com', port: 6432, user: 'app', password: null, database: 'ci' },
  });
  expect(parse('postgresql://a%40b@[::1]/ci%2Fx')).toMatchObject({
    value: { host: '::1', port: 5432, user: 'a@b', database: 'ci/x', tls: null },
  });
  expect(parse('postgres://app@127.0.0.1/ci?host=/run/postgresql')).toMatchObject({
    value: { host: '/run/postgresql', tls: null },
  });
});

test('a password is taken only from where a secret may stand', () => {
  expect(parse('postgres://app:hush@db.example.com/ci')).toMatchObject({
    ok: false,
    error: { message: 'a password stands in the configuration' },
  });
  const found = parse('postgres://app:hu%2Fsh@db.example.com/ci', true);
  expect(found.ok && found.value.password?.reveal()).toBe('hu/sh');
});

test('the certificate is checked unless the URL says otherwise, and nothing falls back to plain text', () => {
  const tls = (query: string, host = 'db.example.com') => {
    const found = parse(`postgres://app@${host}/ci${query}`);
    return found.ok ? found.value.tls : found.error.message;
  };
  expect(tls('')).toEqual({ verify: 'full', ca: null });
  expect(tls('?sslrootcert=ca.pem')).toEqual({ verify: 'full', ca: PEM });
  expect(tls('?sslmode=verify-full&sslrootcert=system')).toEqual({ verify: 'full', ca: null });
  expect(tls('?sslmode=verify-ca&sslrootcert=ca.pem')).toEqual({ verify: 'ca', ca: PEM });
  expect(tls('?sslmode=verify-ca')).toBe('verify-ca needs an authority');
  expect(tls('?sslmode=require')).toEqual({ verify: 'none', ca: null });
  expect(tls('?sslmode=require&sslrootcert=ca.pem')).toEqual({ verify: 'ca', ca: PEM });
  expect(tls('?sslmode=disable')).toBeNull();
  expect(tls('', 'localhost')).toBeNull();
  for (const mode of ['prefer', 'allow', 'no-verify', ''])
    expect(tls(`?sslmode=${mode}`)).toBe('an sslmode that is unknown or gives up encryption');
  for (const file of ['none.pem', 'empty.pem'])
    expect(tls(`?sslrootcert=${file}`)).toBe('the file of sslrootcert cannot be read, or is no PEM');
});

test.each([
  'postgres://app:hush',
  'mysql://app:hush@db.example.com/ci',
  'postgres://db.example.com/ci?password=hush',
  'postgres://app:hush@db.example.com/',
  'postgres://:hush@db.example.com/ci',
  'postgres://app:hush@a,b/ci',
  'postgres://app:hu#sh@db.example.com/ci',
  'postgres://app:hush@db.example.com/ci?application_name=hush',
  'postgres:///ci',
  'postgres://app:hush%@db.example.com/ci',
  'postgres://app:hush@db.example.com/ci%zz',
  'postgres://app:hush@db.example.com/ci?sslmode=disable&sslmode=verify-full',
])('what is no such URL is refused, and not a word of it is repeated: %s', (text) => {
  const found = parse(text, true);
  expect(found.ok).toBe(false);
  expect(JSON.stringify(found)).not.toContain('hush');
});
