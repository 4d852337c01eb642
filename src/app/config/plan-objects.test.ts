// The objects that a gateway serves: where they are, and by which clouds' APIs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPlan, readConfig } from './load.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-config-'));
  writeFileSync(join(folder, 'kek'), `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'secret'), 'a secret\n', { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GATEWAY = `gateways:\n  - { name: web, listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:1", sts: { url: "http://127.0.0.1:8702", network: loopback, secret: "file:secret" }, keys: { encryption_key: "file:kek" } }\n`;

function load(text: string): { paths: readonly string[]; messages: string; plan?: unknown } {
  writeFileSync(join(folder, 'jobpass.yaml'), text);
  const document = readConfig('jobpass.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  if (plan.ok) return { paths: [], messages: '', plan: plan.value };
  return { paths: plan.error.map(({ path }) => path), messages: plan.error.map(({ message }) => message).join('\n') };
}

describe('a gateway that serves S3', () => {
  const serving = (s3: string): string => GATEWAY.replace('upstream: "http://127.0.0.1:1"', `s3: ${s3}`);

  test('keeps objects on the local disk, each bucket with its quota', () => {
    const { plan, messages } = load(
      serving('{ folder: ./objects, buckets: [{ name: web, quota: 10GiB }, { name: logs }] }'),
    );
    expect(messages).toBe('');
    expect(plan).toMatchObject({
      gateways: [
        {
          settings: {
            upstream: null,
            s3: {
              region: 'us-east-1',
              buckets: [
                { name: 'web', quotaBytes: 10 * 1024 ** 3 },
                { name: 'logs', quotaBytes: null },
              ],
              store: { kind: 'disk', folder: join(folder, 'objects') },
            },
          },
        },
      ],
    });
  });

  test('or has another S3 keep them, with a key of its own', () => {
    const upstream =
      '{ url: "http://127.0.0.1:9000", network: loopback, access_key_id: GATEWAY, secret_access_key: "file:secret" }';
    const { plan, messages } = load(serving(`{ region: eu-1, buckets: [{ name: web }], upstream: ${upstream} }`));
    expect(messages).toBe('');
    expect(plan).toMatchObject({ gateways: [{ settings: { s3: { store: { kind: 'upstream', region: 'eu-1' } } } }] });
  });

  test.each([
    [
      'two places for the objects',
      '{ folder: a, buckets: [{ name: web }], upstream: { url: "https://s3.example.com", access_key_id: K, secret_access_key: "file:secret" } }',
      'gateways[0].s3',
    ],
    ['no place for them', '{ buckets: [{ name: web }] }', 'gateways[0].s3'],
    ['no bucket', '{ folder: a, buckets: [] }', 'gateways[0].s3.buckets'],
    ['a bucket twice', '{ folder: a, buckets: [{ name: web }, { name: web }] }', 'gateways[0].s3.buckets[1].name'],
    ['a name that is none', '{ folder: a, buckets: [{ name: We_b }] }', 'gateways[0].s3.buckets[0].name'],
    ['a quota that is none', '{ folder: a, buckets: [{ name: web, quota: 10 }] }', 'gateways[0].s3.buckets[0].quota'],
    [
      'a plain http upstream elsewhere',
      '{ buckets: [{ name: web }], upstream: { url: "http://s3.example.com", access_key_id: K, secret_access_key: "file:secret" } }',
      'gateways[0].s3.upstream.url',
    ],
    [
      'a quota where another keeps the objects',
      '{ buckets: [{ name: web, quota: 1GB }], upstream: { url: "https://s3.example.com", access_key_id: K, secret_access_key: "file:secret" } }',
      'gateways[0].s3.buckets[0].quota',
    ],
  ])('and is refused with %s', (_what, s3, path) => {
    expect(load(serving(s3)).paths).toContain(path);
  });

  test('and has no second front', () => {
    const both = GATEWAY.replace('upstream:', 's3: { folder: a, buckets: [{ name: web }] }, upstream:');
    expect(load(both).paths).toEqual(['gateways[0].s3']);
  });
});

describe('objects that the Cloud Storage API serves too', () => {
  const S3 = 's3: { folder: a, buckets: [{ name: web }] }';
  const serving = (gcs: string, more = `${S3}, `): string =>
    GATEWAY.replace('upstream: "http://127.0.0.1:1"', `${more}gcs: ${gcs}`);

  test('have a listener and a URL of their own', () => {
    const { plan, messages } = load(serving('{ listen: "127.0.0.1:8705", url: "http://127.0.0.1:8705" }'));
    expect(messages).toBe('');
    expect(plan).toMatchObject({
      gateways: [
        {
          settings: { doors: { gcs: { url: 'http://127.0.0.1:8705' } } },
          doorListens: [{ door: 'gcs', listen: { host: '127.0.0.1', port: 8705 } }],
        },
      ],
    });
  });

  test.each([
    [
      'plain http elsewhere',
      serving('{ listen: "0.0.0.0:8705", url: "http://gcs.example.com" }'),
      'gateways[0].gcs.url',
    ],
    ['a URL with a path', serving('{ listen: "0.0.0.0:8705", url: "https://h/gcs" }'), 'gateways[0].gcs.url'],
    ['no objects', serving('{ listen: "0.0.0.0:8705", url: "https://h" }', ''), 'gateways[0].gcs'],
  ])('are refused with %s', (_what, text, path) => {
    expect(load(text).paths).toContain(path);
  });
});

describe('a gateway with further doors to its objects', () => {
  const STORE = 's3: { folder: a, buckets: [{ name: web }] }';
  const BLOB = 'blob: { listen: "127.0.0.1:8705", account: acme, url: "https://blob.example.com" }';
  const opening = (sides: string): string =>
    GATEWAY.replace('listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:1"', sides);

  test('has each at an address of its own, and need not serve S3 itself', () => {
    const { plan, messages } = load(opening(`${STORE}, ${BLOB}`));
    expect(messages).toBe('');
    expect(plan).toMatchObject({
      gateways: [
        {
          guardListen: null,
          doorListens: [{ door: 'blob', listen: { host: '127.0.0.1', port: 8705 } }],
          settings: { doors: { blob: { account: 'acme', url: 'https://blob.example.com' } } },
        },
      ],
    });
    expect(load(opening(`listen: "127.0.0.1:8703", ${STORE}, ${BLOB}`)).messages).toBe('');
  });

  test.each([
    ['no objects', BLOB, 'gateways[0].blob'],
    [
      'a guard’s upstream behind it',
      `listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:1", ${BLOB}`,
      'gateways[0].blob',
    ],
    [
      'a URL over which no client sends a token',
      `${STORE}, ${BLOB.replace('https:', 'http:')}`,
      'gateways[0].blob.url',
    ],
    ['an account that is none', `${STORE}, ${BLOB.replace('acme', 'Ac-me')}`, 'gateways[0].blob.account'],
    ['no address', `${STORE}, blob: { account: acme, url: "https://blob.example.com" }`, 'gateways[0].blob.listen'],
    ['S3 at no address and no door', STORE, 'gateways[0]'],
  ])('is refused with %s', (_what, sides, path) => {
    expect(load(opening(sides)).paths).toContain(path);
  });
});
