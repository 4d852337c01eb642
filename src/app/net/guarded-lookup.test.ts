import { expect, test } from 'vitest';
import type { NetworkScope } from '../../base/ports/fetch.ts';
import { guardedLookup } from './guarded-lookup.ts';

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'public.example.com': ['93.184.216.34'],
  'split.example.com': ['93.184.216.34', '127.0.0.1'],
  'metadata.example.com': ['169.254.169.254'],
  'here.example.com': ['127.0.0.1'],
};

function addressOf(hostname: string, scope: NetworkScope): Promise<unknown> {
  const resolve = async (name: string) => (NAMES[name] ?? []).map((address) => ({ address, family: 4 }));
  return new Promise((done) => {
    guardedLookup(scope, resolve)(hostname, {}, (error, address) => done(error === null ? address : 'refused'));
  });
}

test.each([
  ['public.example.com', 'public', '93.184.216.34'],
  ['here.example.com', 'loopback', '127.0.0.1'],
  ['here.example.com', 'public', 'refused'],
  ['public.example.com', 'loopback', 'refused'],
  ['split.example.com', 'public', 'refused'],
  ['metadata.example.com', 'private', 'refused'],
  ['unknown.example.com', 'public', 'refused'],
] as const)('%s, registered as %s: %s', async (hostname, scope, wanted) => {
  expect(await addressOf(hostname, scope)).toBe(wanted);
});
