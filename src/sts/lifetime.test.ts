// A lifetime never exceeds any bound.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LifetimeBounds, sessionLifetime, UNBOUND_SESSION_SECONDS } from './lifetime.ts';

const bounds: LifetimeBounds = {
  now: 1000,
  askedSeconds: undefined,
  roleSeconds: 1800,
  ceilingSeconds: 3600,
  issuerSeconds: null,
  jobBound: true,
  deadline: null,
};
const given = (overrides: Partial<LifetimeBounds>): unknown => {
  const result = sessionLifetime({ ...bounds, ...overrides });
  return result.ok ? [result.value.givenSeconds, result.value.boundBy] : result.error.reason;
};

test('a lifetime is whole, positive, and never beyond any bound, whatever the bounds', () => {
  const seconds = fc.integer({ min: -10, max: 100_000 });
  const anyBounds = fc.record({
    now: fc.integer({ min: 0, max: 4_000_000_000 }),
    askedSeconds: fc.option(fc.oneof(seconds, fc.double()), { nil: undefined }),
    roleSeconds: seconds,
    ceilingSeconds: seconds,
    issuerSeconds: fc.option(seconds),
    jobBound: fc.boolean(),
    deadline: fc.option(fc.integer({ min: 0, max: 4_000_000_000 })),
    parentEnd: fc.option(fc.integer({ min: 0, max: 4_000_000_000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(anyBounds, (b) => {
      const result = sessionLifetime(b);
      if (!result.ok) return;
      const { givenSeconds } = result.value;
      expect(Number.isSafeInteger(givenSeconds) && givenSeconds > 0).toBe(true);
      const unbound = b.jobBound || b.issuerSeconds !== null ? Infinity : UNBOUND_SESSION_SECONDS;
      const all = [b.askedSeconds, b.roleSeconds, b.ceilingSeconds, b.issuerSeconds, unbound];
      for (const bound of all) expect(givenSeconds).toBeLessThanOrEqual(bound ?? Infinity);
      expect(b.now + givenSeconds).toBeLessThanOrEqual(b.deadline ?? Infinity);
      expect(b.now + givenSeconds).toBeLessThanOrEqual(b.parentEnd ?? Infinity);
      const ends = [b.deadline, b.parentEnd].map((end) => (end == null ? Infinity : end - b.now));
      expect([...all, ...ends]).toContain(givenSeconds);
    }),
    { numRuns: 2000 },
  );
});

describe('a lifetime', () => {
  test.each<[string, Partial<LifetimeBounds>, unknown]>([
    ['is the role’s longest when nothing is asked', {}, [1800, 'role']],
    ['is what is asked when that is less', { askedSeconds: 60 }, [60, 'asked']],
    ['is the role’s when more is asked', { askedSeconds: 7200 }, [1800, 'role']],
    ['stays within the tenant’s ceiling', { ceilingSeconds: 900 }, [900, 'ceiling']],
    ['stays within the issuer’s bound', { issuerSeconds: 600 }, [600, 'issuer']],
    ['ends with the job', { deadline: 1090 }, [90, 'deadline']],
    ['is short when the job’s end will not be heard of', { jobBound: false }, [1200, 'issuer']],
    [
      'is as the operator set it when the job’s end will not be heard of',
      { jobBound: false, issuerSeconds: 1500 },
      [1500, 'issuer'],
    ],
    ['ends with the session that it comes of', { parentEnd: 1100 }, [100, 'parent']],
    ['is refused once the session that it comes of is over', { parentEnd: 1000 }, 'lifetime_exhausted'],
    ['is refused at the deadline', { deadline: 1000 }, 'lifetime_exhausted'],
    ['is refused after the deadline', { deadline: 1 }, 'lifetime_exhausted'],
    ['is refused when zero is asked', { askedSeconds: 0 }, 'duration_invalid'],
    ['is refused when a fraction is asked', { askedSeconds: 1.5 }, 'duration_invalid'],
  ])('%s', (_what, overrides, expected) => {
    expect(given(overrides)).toEqual(expected);
  });
});
