// Every refusal of a JSON route: one form, one id in the answer and in the log, and a log that strangers cannot fill.
import { describe, expect, test } from 'vitest';
import { CountingRandom } from '../../../test/fakes/counting-random.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { failure, REASONS, type Reason, safeReason } from '../core/reasons.ts';
import { err } from '../core/result.ts';
import type { HttpRequest } from '../ports/http.ts';
import { RefusalDesk } from './desk.ts';
import { type Refusal, refuse } from './refusal.ts';
import { answeringRoute, type Outcome } from './route.ts';

const REQUEST: HttpRequest = {
  method: 'GET',
  params: {},
  query: '',
  headers: {},
  body: new Uint8Array(),
  remoteAddress: '192.0.2.7',
  signal: new AbortController().signal,
};

function world() {
  const clock = new FrozenClock(1_800_000_000);
  const log = new MemoryLog();
  const desk = new RefusalDesk({ clock, log, random: new CountingRandom() });
  const call = async (handler: () => Promise<Outcome>) => {
    const route = answeringRoute(desk, { method: 'GET', path: '/v1/things', handler });
    const answer = await route.handle(REQUEST);
    return { status: answer.status, headers: answer.headers, json: JSON.parse(String(answer.body)) };
  };
  return { clock, log, call, refused: (refusal: Refusal) => call(async () => err(refusal)) };
}

describe('a refusal', () => {
  test.each(Object.keys(REASONS) as Reason[])(
    'for %s has three members and tells no evidence of others',
    async (reason) => {
      const { refused, log } = world();
      const { json } = await refused(refuse(failure(reason, 'the evidence'), 'client:ci'));
      expect(Object.keys(json)).toEqual(['message', 'reason', 'decision_id']);
      expect(json.reason).toBe(safeReason(reason));
      expect(json.message === 'the evidence').toBe(json.reason === 'request_invalid');
      expect(log.lines).toMatchObject([
        {
          level: 'warn',
          message: 'refused',
          fields: {
            decision: json.decision_id,
            reason,
            detail: 'the evidence',
            who: 'client:ci',
            route: 'GET /v1/things',
          },
        },
      ]);
    },
  );

  test('says how to authenticate, or when to come again', async () => {
    const { refused } = world();
    const of = async (reason: Reason) => {
      const { status, headers } = await refused(refuse(failure(reason, ''), null));
      return [status, headers['www-authenticate'], headers['retry-after']];
    };
    expect(await of('client_unknown')).toEqual([401, 'Basic realm="jobpass"', undefined]);
    expect(await of('request_token_invalid')).toEqual([401, 'Bearer', undefined]);
    expect(await of('store_unavailable')).toEqual([503, undefined, '1']);
    expect(await of('client_not_permitted')).toEqual([403, undefined, undefined]);
  });
});

describe('an unexpected failure', () => {
  test('is a 503 with an id; only the log tells its cause, as an error', async () => {
    const { call, log } = world();
    const cause = new Error('disk full');
    const { status, json } = await call(() => Promise.reject(cause));
    expect([status, json.reason]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(json)).not.toContain('disk');
    expect(log.lines).toMatchObject([{ level: 'error', fields: { decision: json.decision_id, err: cause } }]);
  });

  test('is written down at most twenty times a minute', async () => {
    const { call, clock, log } = world();
    for (let i = 0; i < 25; i += 1) await call(() => Promise.reject(new Error('disk full')));
    expect(log.lines).toHaveLength(20);
    clock.advanceMs(60_000);
    await call(() => Promise.reject(new Error('disk full')));
    expect(log.lines.at(-1)?.fields.unwritten_before).toBe(5);
  });
});

test('refusals of strangers are written down at most twenty times a minute, those of clients always', async () => {
  const { refused, clock, log } = world();
  const stranger = refuse(failure('client_unknown', ''), null);
  for (let i = 0; i < 30; i += 1) await refused(stranger);
  expect(log.lines).toHaveLength(20);
  for (let i = 0; i < 30; i += 1) await refused(refuse(failure('client_not_permitted', ''), 'client:ci'));
  expect(log.lines).toHaveLength(50);
  clock.advanceMs(60_000);
  await refused(stranger);
  expect(log.lines.at(-1)?.fields.unwritten_before).toBe(10);
});
