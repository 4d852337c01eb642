// What a caller learns of a refusal, and what the operator does.
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { FeedSts } from '../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { REASONS, type Reason } from '../base/core/reasons.ts';
import { RefusalDesk, refusalStatus, writeRefusal } from './refusal.ts';

const SESSION = new FeedSts(new FrozenClock()).session({ sessionId: 'S1' });

/** As much of a response as a refusal needs. */
const written = (reason: Reason, status?: number, resourceMetadata?: string) => {
  const seen: { status?: number; headers?: Record<string, string>; body?: string } = {};
  const res = {
    writeHead: (code: number, headers: Record<string, string>) => Object.assign(seen, { status: code, headers }),
    end: (body: string) => Object.assign(seen, { body }),
  } as unknown as ServerResponse;
  const optional = {
    ...(status === undefined ? {} : { status }),
    ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
  };
  writeRefusal(res, { reason, decision: 'D1', ...optional });
  return seen;
};

describe('a refusal', () => {
  test.each([
    ['credential_missing', 401],
    ['signature_invalid', 401],
    ['session_expired', 401],
    ['session_ended', 403],
    ['permission_denied', 403],
    ['role_unknown', 403],
    ['feed_stale', 503],
    ['upstream_unreachable', 502],
    ['upstream_busy', 503],
    ['path_refused', 400],
  ] as const)('for %s has status %d', (reason, status) => {
    expect(refusalStatus(reason)).toBe(status);
  });

  test('never has a status that says yes, whatever the reason', () => {
    for (const reason of Object.keys(REASONS) as Reason[]) expect(refusalStatus(reason)).toBeGreaterThanOrEqual(400);
  });

  test('tells the caller a safe reason and an id, and nothing that tells role, ended and denied apart', () => {
    expect(written('permission_denied').body).toBe('{"error":"access_denied","decision":"D1"}');
    expect(written('role_unknown')).toEqual(written('permission_denied'));
    expect(written('session_ended')).toEqual(written('permission_denied'));
  });

  test('names the scheme, and an error only when there was a credential', () => {
    expect(written('credential_missing').headers?.['www-authenticate']).toBe('Bearer');
    expect(written('token_expired').headers?.['www-authenticate']).toBe('Bearer error="invalid_token"');
    expect(written('permission_denied').headers).not.toHaveProperty('www-authenticate');
  });

  test('leads to the resource’s metadata, when there is one, and only who might get a credential there', () => {
    const url = 'https://a.example.com/.well-known/oauth-protected-resource';
    const challengeOf = (reason: Reason) => written(reason, undefined, url).headers?.['www-authenticate'];
    expect(challengeOf('credential_missing')).toBe(`Bearer resource_metadata="${url}"`);
    expect(challengeOf('token_expired')).toBe(`Bearer error="invalid_token", resource_metadata="${url}"`);
    expect(challengeOf('permission_denied')).toBeUndefined();
  });

  test('says when to come again while the feed is stale', () => {
    expect(written('feed_stale').headers?.['retry-after']).toBe('2');
  });

  test('can be folded into a status that a proxy understands', () => {
    expect(written('feed_stale', 403)).toMatchObject({ status: 403, body: '{"error":"unavailable","decision":"D1"}' });
  });

  test('is logged whole under the same id', () => {
    const log = new MemoryLog();
    new RefusalDesk({ clock: new FrozenClock(), log }).record({
      decision: 'D1',
      failure: { reason: 'feed_stale', detail: '12 s old' },
      method: 'GET',
      path: '/a',
    });
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: { decision: 'D1', reason: 'feed_stale', detail: '12 s old', method: 'GET', path: '/a' },
        message: 'refused',
      },
    ]);
  });

  test('fills no log while nobody is verified: further ones are counted, and the count is written', () => {
    const clock = new FrozenClock();
    const log = new MemoryLog();
    const desk = new RefusalDesk({ clock, log });
    const anonymous = { decision: 'D1', failure: { reason: 'credential_missing', detail: '' }, method: 'GET' } as const;
    for (let count = 0; count < 50; count += 1) desk.record(anonymous);
    expect(log.lines).toHaveLength(20);
    desk.record({ ...anonymous, failure: { reason: 'permission_denied', detail: '' }, session: SESSION });
    expect(log.lines.at(-1)?.fields).toMatchObject({ reason: 'permission_denied', session: 'S1' });
    clock.advance(60);
    desk.record(anonymous);
    expect(log.lines.at(-1)?.fields.unwritten_before).toBe(30);
  });
});
