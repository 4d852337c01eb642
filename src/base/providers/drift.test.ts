// A provider that changes its tokens is noticed, and one that does not is not.
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../core/json.ts';
import { EVENT_NAMES } from './catalogue.ts';
import { claimDrift } from './drift.ts';
import { eventToken } from './event-token.ts';

const tokenOf = (name: string) => {
  const made = eventToken(name, { with: {}, now: 1_795_403_647 });
  return made.ok ? made.value.token : null;
};
const driftOf = (name: string, change: Readonly<Record<string, string | undefined>> = {}) => {
  const token = tokenOf(name);
  const changed: Readonly<Record<string, JsonValue | undefined>> = { ...token?.claims, ...change };
  const claims = Object.fromEntries(
    Object.entries(changed).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  return claimDrift(token?.issuer ?? '', claims, name.startsWith('jobpass'));
};

describe('claims', () => {
  const known = EVENT_NAMES.filter((name) => tokenOf(name) !== null);

  test.each(known)('of %s are what is known of its provider', (name) => {
    expect(driftOf(name)).toBeUndefined();
  });

  test('are those of every provider', () => {
    expect(known.length).toBeGreaterThan(30);
  });

  test('that are gone or new are told', () => {
    expect(driftOf('github push', { repository_id: undefined, robot: 'yes' })).toEqual({
      missing: ['repository_id'],
      unknown: ['robot'],
    });
    expect(driftOf('jobpass push', { owner_id: undefined })).toEqual({ missing: ['owner_id'], unknown: [] });
  });

  test('of a controller’s own, under its prefix, are no drift', () => {
    expect(driftOf('jobpass push', { 'acme.example/team': 'red' })).toBeUndefined();
  });

  test('of an issuer of which nothing is known are not looked at', () => {
    expect(claimDrift('https://unknown.example.com', { sub: 'x' }, false)).toBeUndefined();
  });
});
