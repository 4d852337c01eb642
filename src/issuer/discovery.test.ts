// The public documents: byte for byte what is written down, cacheable, and there without the store.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { issuerWorld } from '../../test/fakes/issuer-world.ts';

const golden = (name: string): string => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8').trimEnd();

const PUBLIC = ['openid-configuration', 'jwks', 'jwks.json', 'ssf-configuration'];

describe('the discovery document', () => {
  test.each(['jobpass', 'github'] as const)('of profile %s is the golden file, byte for byte', async (profile) => {
    const world = issuerWorld({ settings: { profile, algorithm: 'RS256' } });
    const answer = await world.call('GET /.well-known/openid-configuration');
    expect(answer.text).toBe(golden(`openid-configuration-${profile}.golden`));
    expect(answer.headers['content-type']).toBe('application/json');
  });

  test('of an issuer with a path stands under that path', async () => {
    const world = issuerWorld({ settings: { url: 'https://ci.example.com/acme' } });
    const answer = await world.call('GET /acme/.well-known/openid-configuration');
    expect(answer.json).toMatchObject({
      issuer: 'https://ci.example.com/acme',
      jwks_uri: 'https://ci.example.com/acme/.well-known/jwks',
    });
    expect(world.issuer.routes.every(({ path }) => path.startsWith('/acme/'))).toBe(true);
  });

  test('never repeats what the caller says of the host', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    const answer = await issuerWorld().call('GET /.well-known/openid-configuration', { headers });
    expect(answer.text).not.toContain('evil');
  });
});

test('the events document is the golden file, byte for byte', async () => {
  const answer = await issuerWorld().call('GET /.well-known/ssf-configuration');
  expect(answer.text).toBe(golden('ssf-configuration.golden'));
});

test('the key set is the ring’s, under both names', async () => {
  const world = issuerWorld();
  const expected = JSON.stringify(world.keys.publicJwks());
  for (const name of ['jwks', 'jwks.json']) expect((await world.call(`GET /.well-known/${name}`)).text).toBe(expected);
  expect(expected).not.toContain('"d"');
});

describe.each(PUBLIC)('%s', (name) => {
  test('may be kept for five minutes', async () => {
    const answer = await issuerWorld().call(`GET /.well-known/${name}`);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'public, max-age=300']);
  });

  test('is not sent again to who has it', async () => {
    const world = issuerWorld();
    const etag = (await world.call(`GET /.well-known/${name}`)).headers.etag ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await world.call(`GET /.well-known/${name}`, { headers: { 'if-none-match': known } });
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', etag]);
    }
    const other = await world.call(`GET /.well-known/${name}`, { headers: { 'if-none-match': '"x"' } });
    expect(other.status).toBe(200);
  });

  test('is there while the store is not', async () => {
    const world = issuerWorld();
    world.store.before = () => {
      throw new Error('disk gone');
    };
    expect((await world.call(`GET /.well-known/${name}`)).status).toBe(200);
  });
});
