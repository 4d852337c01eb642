// The upstream's address.
import { describe, expect, test } from 'vitest';
import { createUpstream } from './upstream.ts';

describe('an upstream', () => {
  test.each([
    ['http://127.0.0.1:9000', '127.0.0.1:9000'],
    ['http://[::1]:9000', '[::1]:9000'],
    ['https://files.internal', 'files.internal'],
  ])('at %s is addressed as %s', (origin, host) => {
    expect(createUpstream(origin).host).toBe(host);
  });
});
