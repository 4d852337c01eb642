import { describe, expect, it } from 'vitest';
import { UsedAssertions } from './assertion.ts';

const NOW = 1_790_000_000;

describe('the memory of used assertions', () => {
  it('knows each jti of each client until it has expired', () => {
    const used = new UsedAssertions();
    const use = { jti: 'j', expiresAt: NOW + 60 };
    expect([used.take('a', use, NOW), used.take('a', use, NOW + 60), used.take('b', use, NOW)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('is bounded: full of living assertions it takes no more of this client, and forgets only dead ones', () => {
    const used = new UsedAssertions();
    for (let count = 0; count < 10_000; count += 1) {
      expect(used.take('a', { jti: `j${count}`, expiresAt: NOW + (count === 0 ? 10 : 60) }, NOW)).toBe(true);
    }
    const next = { jti: 'next', expiresAt: NOW + 60 };
    expect(used.take('a', next, NOW)).toBe(false);
    expect(used.take('b', next, NOW)).toBe(true);
    expect(used.take('a', next, NOW + 40)).toBe(true);
    expect(used.take('a', { ...next, jti: 'more' }, NOW + 40)).toBe(false);
    expect(used.take('a', { ...next, jti: 'j5' }, NOW + 40)).toBe(false);
  });
});
