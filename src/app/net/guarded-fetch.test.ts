import { afterAll, describe, expect, test } from 'vitest';
import type { FetchRequest } from '../../base/ports/fetch.ts';
import { createGuardedFetch, type ResolveName } from './guarded-fetch.ts';

const handles: { close(): void }[] = [];
afterAll(() => {
  for (const handle of handles) handle.close();
});

/** A fetch whose names resolve to `addresses`; `asked` counts the questions. Nothing here may reach a network. */
function fetchResolving(...addresses: readonly string[]) {
  const asked: string[] = [];
  const resolve: ResolveName = async (hostname) => {
    asked.push(hostname);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const handle = createGuardedFetch({ resolve });
  handles.push(handle);
  return { fetch: handle.fetch, asked };
}

const get = (url: string, change: Partial<FetchRequest> = {}): FetchRequest => ({
  url,
  method: 'GET',
  headers: {},
  network: 'public',
  maxBytes: 1000,
  timeoutMs: 5000,
  ...change,
});

const refused = { ok: false, error: { kind: 'address_refused' } };

describe('before anything is resolved', () => {
  test.each([
    'ftp://ci.example.com/',
    'file:///etc/passwd',
    'data:text/plain,hi',
    'gopher://a/',
    'https://',
    '',
    'ci.example.com',
    '/jwks',
  ])('what is no http or https URL is refused: %j', async (url) => {
    const { fetch, asked } = fetchResolving('8.8.8.8');
    expect(await fetch(get(url))).toMatchObject(refused);
    expect(asked).toEqual([]);
  });

  test.each(['public', 'private'] as const)('http is refused in the %s network', async (network) => {
    const { fetch, asked } = fetchResolving('8.8.8.8');
    expect(await fetch(get('http://ci.example.com/', { network }))).toMatchObject(refused);
    expect(asked).toEqual([]);
  });

  test('credentials in the URL are refused', async () => {
    const { fetch } = fetchResolving('8.8.8.8');
    expect(await fetch(get('https://user:secret@ci.example.com/'))).toMatchObject(refused);
    expect(await fetch(get('https://user@ci.example.com/'))).toMatchObject(refused);
  });

  test.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/',
    'https://10.0.0.1/',
    'https://0/',
    'https://１２７.0.0.1/',
    'https://127。0。0。1/',
  ])('a literal address outside the scope is refused however it is spelt: %s', async (url) => {
    const { fetch, asked } = fetchResolving('8.8.8.8');
    expect(await fetch(get(url))).toMatchObject(refused);
    expect(asked).toEqual([]);
  });
});

describe('a name', () => {
  test.each([
    ['public', '127.0.0.1'],
    ['public', '10.0.0.1'],
    ['public', '::ffff:10.0.0.1'],
    ['private', '8.8.8.8'],
    ['private', '127.0.0.1'],
    ['private', '100.100.100.200'],
    ['private', 'fd00:ec2::254'],
    ['loopback', '192.168.0.1'],
    ['loopback', '169.254.169.254'],
  ] as const)('in the %s network at %s is refused', async (network, address) => {
    const { fetch } = fetchResolving(address);
    expect(await fetch(get('https://ci.example.com/', { network }))).toMatchObject(refused);
  });

  test('with one refused address among good ones is refused, wherever it stands', async () => {
    for (const addresses of [
      ['8.8.8.8', '127.0.0.1'],
      ['127.0.0.1', '8.8.8.8'],
      ['2606:4700::1111', '8.8.8.8', '::1'],
    ]) {
      const { fetch } = fetchResolving(...addresses);
      expect(await fetch(get('https://ci.example.com/'))).toMatchObject(refused);
    }
  });

  test('without any address, or that does not resolve, is unreachable', async () => {
    expect(await fetchResolving().fetch(get('https://ci.example.com/'))).toMatchObject({
      error: { kind: 'unreachable' },
    });
    const handle = createGuardedFetch({ resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    handles.push(handle);
    expect(await handle.fetch(get('https://ci.example.com/'))).toMatchObject({ error: { kind: 'unreachable' } });
  });

  test('that never resolves runs into the time, and into the caller’s abort', async () => {
    const handle = createGuardedFetch({ resolve: () => new Promise(() => {}) });
    handles.push(handle);
    expect(await handle.fetch(get('https://ci.example.com/', { timeoutMs: 5 }))).toMatchObject({
      error: { kind: 'timeout' },
    });
    const caller = new AbortController();
    const asked = handle.fetch(get('https://ci.example.com/', { signal: caller.signal }));
    caller.abort();
    expect(await asked).toMatchObject({ error: { kind: 'aborted' } });
  });
});
