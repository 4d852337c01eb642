// RFC 9728 at the guard: a client finds its way from a refusal to the STS; nothing else of the resource is open.
import { customFetch, processResourceDiscoveryResponse, resourceDiscoveryRequest } from 'oauth4webapi';
import { afterEach, describe, expect, test } from 'vitest';
import { STS_URL } from '../fakes/feed-sts.ts';
import { exchangeBytes, type GuardedResource, startGuardedResource } from '../fakes/guarded-resource.ts';

const RESOURCE = 'https://artifacts.example.com';
const PATH = '/.well-known/oauth-protected-resource';

let world: GuardedResource;
afterEach(() => world.close());

const get = (path: string, init: RequestInit = {}) => fetch(`${world.guardUrl}${path}`, init);

describe('a guard with a URL', () => {
  test('tells anyone which STS gives tokens for it, as oauth4webapi reads it', async () => {
    world = await startGuardedResource({ url: RESOURCE });
    const resource = new URL(RESOURCE);
    const answer = await resourceDiscoveryRequest(resource, {
      // To the port that it happens to listen on.
      [customFetch]: (url, { body: _, ...init }) => fetch(url.replace(RESOURCE, world.guardUrl), init),
    });
    expect(await processResourceDiscoveryResponse(resource, answer)).toEqual({
      resource: RESOURCE,
      authorization_servers: [STS_URL],
      bearer_methods_supported: ['header'],
    });
    expect(world.upstream.connections).toBe(0);
  });

  test('leads there from a refusal for want of a good credential', async () => {
    world = await startGuardedResource({ url: RESOURCE });
    const metadata = `resource_metadata="${RESOURCE}${PATH}"`;
    expect((await get('/web/a')).headers.get('www-authenticate')).toBe(`Bearer ${metadata}`);
    const forged = await get('/web/a', { headers: { authorization: 'Bearer a.b.c' } });
    expect(forged.headers.get('www-authenticate')).toBe(`Bearer error="invalid_token", ${metadata}`);
  });

  test.each([
    ['another method', `POST ${PATH}`],
    ['a query', `GET ${PATH}?a`],
    ['something below it', `GET ${PATH}/web/a`],
    ['another spelling', `GET ${PATH.replace('o', '%6f')}`],
    ['capitals', `GET ${PATH.toUpperCase()}`],
    ['an absolute URI', `GET http://127.0.0.1${PATH}`],
  ])('opens nothing by %s', async (_what, head) => {
    world = await startGuardedResource({ url: RESOURCE });
    const { text } = await exchangeBytes(
      world.guardPort,
      `${head} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 40[01] /);
    expect(world.upstream.connections).toBe(0);
  });

  test('answers HEAD without the document, and does not wait for a body', async () => {
    world = await startGuardedResource({ url: RESOURCE });
    const head = await get(PATH, { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('cache-control')]).toEqual([
      200,
      '',
      'public, max-age=300',
    ]);
    const { text } = await exchangeBytes(
      world.guardPort,
      `GET ${PATH} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a guard without a URL', () => {
  test('tells nothing: the path is the resource’s, like any other', async () => {
    world = await startGuardedResource();
    const answer = await get(PATH);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
});
