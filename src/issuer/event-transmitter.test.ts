// Events of ended jobs: who hears what, how soon, and that silence is never taken for health.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Answer,
  askIdToken,
  CLOUD_AUDIENCE,
  claimsOf,
  ISSUER_URL,
  type IssuerWorld,
  issuerWorld,
  NOW,
  STS_AUDIENCE,
  startJob,
} from '../../test/fakes/issuer-world.ts';
import { isJsonObject, type JsonObject } from '../base/core/json.ts';
import { parseJws } from '../base/jwt/jws.ts';
import { verifyJws } from '../base/jwt/verify.ts';
import { decodeSecurityEvent, type SecurityEvent } from '../wire/secevent/event.ts';

const lastReason = (world: IssuerWorld): unknown => world.log.at(-1)?.fields.reason;

const setsOf = (answer: Answer): JsonObject => (isJsonObject(answer.json.sets) ? answer.json.sets : {});

const eventsOf = (answer: Answer): readonly SecurityEvent[] =>
  Object.entries(setsOf(answer)).map(([id, token]) => {
    const event = decodeSecurityEvent(claimsOf(String(token)));
    if (!event.ok) throw new Error(event.error.detail);
    expect(event.value.id).toBe(id);
    return event.value;
  });

const endedJobs = (answer: Answer): readonly string[] =>
  eventsOf(answer).flatMap((event) => (event.kind === 'job_ended' ? [event.jobId] : []));

const poll = (world: IssuerWorld, body: JsonObject = {}, as = 'sts'): Promise<Answer> =>
  world.call('POST /v1/events/poll', { as, json: { returnImmediately: true, nonce: 'n1', ...body } });

const finish = (world: IssuerWorld, id: string): Promise<Answer> =>
  world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });

/** A job that got a token for each of the audiences. */
async function jobWithTokens(world: IssuerWorld, key: string, audiences: readonly string[]): Promise<string> {
  const job = await startJob(world, { idempotency_key: key });
  for (const audience of audiences) expect((await askIdToken(world, job, audience)).status).toBe(200);
  return job.id;
}

describe('every answer to a poll', () => {
  test('carries one signed verification event with the poll’s nonce, made now', async () => {
    const world = issuerWorld();
    world.clock.advance(7);
    const answer = await poll(world, { nonce: 'abc-123' });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(eventsOf(answer)).toMatchObject([
      {
        ...{ kind: 'verification', state: 'abc-123', issuer: ISSUER_URL, audience: 'sts', issuedAt: NOW + 7 },
        audiences: [STS_AUDIENCE],
      },
    ]);
  });

  test('is signed with the issuer’s key as a security event and nothing else', async () => {
    const world = issuerWorld();
    await finish(world, await jobWithTokens(world, 'a', [STS_AUDIENCE]));
    const tokens = Object.values(setsOf(await poll(world)));
    expect(tokens).toHaveLength(2);
    for (const token of tokens) {
      const parsed = parseJws(String(token));
      if (!parsed.ok) throw new Error(parsed.error.detail);
      expect(parsed.value.header.typ).toBe('secevent+jwt');
      const verified = await verifyJws(parsed.value, world.keys.verificationKeys(), { algorithms: ['ES256'] });
      expect(verified.ok).toBe(true);
    }
  });

  test('never repeats a verification event', async () => {
    const world = issuerWorld();
    const ids = [await poll(world), await poll(world)].flatMap((answer) => Object.keys(setsOf(answer)));
    expect(new Set(ids).size).toBe(2);
  });

  test('takes its time before it reads: an end after that is not vouched for', async () => {
    const world = issuerWorld();
    world.store.before = (operation) => {
      if (operation === 'listEvents') world.clock.advance(3);
    };
    expect(eventsOf(await poll(world))[0]?.issuedAt).toBe(NOW);
  });

  test('is refused when the store cannot be read: nothing is vouched for', async () => {
    const world = issuerWorld();
    world.store.before = () => {
      throw new Error('disk gone');
    };
    const answer = await poll(world);
    expect([answer.status, answer.json.sets]).toEqual([503, undefined]);
  });
});

describe('the end of a job', () => {
  test('is told to those whose audience it had a token for, and to nobody else', async () => {
    const world = issuerWorld();
    const both = await jobWithTokens(world, 'a', [STS_AUDIENCE, CLOUD_AUDIENCE]);
    const one = await jobWithTokens(world, 'b', [CLOUD_AUDIENCE]);
    const none = await jobWithTokens(world, 'c', []);
    for (const id of [both, one, none]) await finish(world, id);
    expect(endedJobs(await poll(world))).toEqual([both]);
    expect(endedJobs(await poll(world, {}, 'cloud'))).toEqual([both, one]);
  });

  test('names the issuer and the opaque job, its time and its cause', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    world.clock.advance(5);
    await finish(world, jobId);
    world.clock.advance(5);
    const told = eventsOf(await poll(world)).find(({ kind }) => kind === 'job_ended');
    expect(told).toMatchObject({
      issuer: ISSUER_URL,
      audience: 'sts',
      jobId,
      issuedAt: NOW + 5,
      endedAt: NOW + 5,
      cause: 'finished',
    });
  });

  test('is told again until it is acknowledged, as the same event', async () => {
    const world = issuerWorld();
    await finish(world, await jobWithTokens(world, 'a', [STS_AUDIENCE]));
    const [first] = eventsOf(await poll(world));
    world.clock.advance(1);
    expect(eventsOf(await poll(world))[0]).toEqual(first);
    expect(endedJobs(await poll(world, { ack: [first?.id ?? ''] }))).toEqual([]);
  });

  test('is not acknowledged by another client', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    await finish(world, jobId);
    const [first] = eventsOf(await poll(world));
    await poll(world, { ack: [first?.id ?? ''] }, 'cloud');
    expect(endedJobs(await poll(world))).toEqual([jobId]);
  });

  test('is told to each receiver of a client, whoever of them acknowledged it', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    await finish(world, jobId);
    const [event] = eventsOf(await poll(world, { receiver: 'store-1' }));
    expect(endedJobs(await poll(world, { receiver: 'store-1', ack: [event?.id ?? ''] }))).toEqual([]);
    expect(endedJobs(await poll(world, { receiver: 'store-2' }))).toEqual([jobId]);
    expect(endedJobs(await poll(world))).toEqual([jobId]);
  });

  test('that nobody asked for is made durable before silence is vouched for', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { heartbeat_seconds: 15 });
    await askIdToken(world, job);
    world.clock.advance(18);
    expect(endedJobs(await poll(world))).toEqual([job.id]);
  });

  test('that cannot be made durable is not hidden: nothing is vouched for until it can', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { heartbeat_seconds: 15 });
    await askIdToken(world, job);
    world.store.before = (operation) => {
      if (operation === 'endJob') throw new Error('disk full');
    };
    expect((await poll(world)).status).toBe(200);
    world.clock.advance(18);
    const answer = await poll(world);
    expect([answer.status, answer.json.sets, lastReason(world)]).toEqual([503, undefined, 'store_unavailable']);
    world.store.before = () => undefined;
    expect(endedJobs(await poll(world))).toEqual([job.id]);
  });

  test('that a receiver reports as unacceptable is not told again, and the operator reads of it', async () => {
    const world = issuerWorld();
    await finish(world, await jobWithTokens(world, 'a', [STS_AUDIENCE]));
    const [first] = eventsOf(await poll(world));
    const setErrs = { [first?.id ?? '']: { err: 'invalid_key', description: 'no such key' } };
    expect(endedJobs(await poll(world, { setErrs }))).toEqual([]);
    expect(world.log.at(-1)).toMatchObject({ level: 'error', fields: { client: 'sts', code: 'invalid_key' } });
  });

  test('beyond maxEvents waits, and the answer says so', async () => {
    const world = issuerWorld();
    const first = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    const second = await jobWithTokens(world, 'b', [STS_AUDIENCE]);
    for (const id of [first, second]) await finish(world, id);
    const answer = await poll(world, { maxEvents: 1 });
    expect([endedJobs(answer), answer.json.moreAvailable]).toEqual([[first], true]);
    const rest = await poll(world, { maxEvents: 2 });
    expect([endedJobs(rest), rest.json.moreAvailable]).toEqual([[first, second], undefined]);
  });

  test('is only acknowledged by a poll for no events, which vouches for nothing', async () => {
    const world = issuerWorld();
    await finish(world, await jobWithTokens(world, 'a', [STS_AUDIENCE]));
    const [first] = eventsOf(await poll(world));
    const answer = await poll(world, { maxEvents: 0, returnImmediately: false, ack: [first?.id ?? ''] });
    expect(answer.json).toEqual({ sets: {} });
    expect(endedJobs(await poll(world))).toEqual([]);
  });
});

describe('a poll that waits', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const waiting = (world: IssuerWorld, signal?: AbortSignal): Promise<Answer> =>
    world.call('POST /v1/events/poll', {
      as: 'sts',
      json: { nonce: 'n1' },
      ...(signal === undefined ? {} : { signal }),
    });

  test('is answered at once when a job ends', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    const answer = waiting(world);
    await vi.advanceTimersByTimeAsync(10);
    await finish(world, jobId);
    expect(endedJobs(await answer)).toEqual([jobId]);
  });

  test('does not sleep through an end between its read and its wait', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    const list = world.store.listEvents.bind(world.store);
    let reads = 0;
    world.store.listEvents = async (...asked) => {
      const found = await list(...asked);
      reads += 1;
      if (reads === 1) await finish(world, jobId);
      return found;
    };
    expect(endedJobs(await waiting(world))).toEqual([jobId]);
    expect(reads).toBe(2);
  });

  test('goes on waiting when the end is not for it', async () => {
    const world = issuerWorld();
    const other = await jobWithTokens(world, 'a', [CLOUD_AUDIENCE]);
    let answered = false;
    const answer = waiting(world).finally(() => {
      answered = true;
    });
    await vi.advanceTimersByTimeAsync(10);
    await finish(world, other);
    await vi.advanceTimersByTimeAsync(10);
    expect(answered).toBe(false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(endedJobs(await answer)).toEqual([]);
  });

  test('is answered after a second when nothing ends, and sees what another replica ended meanwhile', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    const answer = waiting(world);
    await vi.advanceTimersByTimeAsync(500);
    await world.store.endJob(jobId, { at: NOW, reason: 'finished', eventExpiresAt: NOW + 1 });
    await vi.advanceTimersByTimeAsync(500);
    expect(endedJobs(await answer)).toEqual([jobId]);
  });

  test('is answered at once when the store tells of what another replica ended, until the issuer closes', async () => {
    const world = issuerWorld();
    const jobId = await jobWithTokens(world, 'a', [STS_AUDIENCE]);
    world.issuer.start();
    const answer = waiting(world);
    await vi.advanceTimersByTimeAsync(10);
    await world.store.endJob(jobId, { at: NOW, reason: 'finished', eventExpiresAt: NOW + 1 });
    for (const tell of world.store.watchers) tell();
    await vi.advanceTimersByTimeAsync(0);
    expect(endedJobs(await answer)).toEqual([jobId]);
    await world.issuer.close();
    expect(world.store.watchers.size).toBe(0);
  });

  test('is answered when the issuer closes', async () => {
    const world = issuerWorld();
    const answer = waiting(world);
    await vi.advanceTimersByTimeAsync(10);
    await world.issuer.close();
    expect((await answer).status).toBe(200);
    expect((await waiting(world)).status).toBe(200);
  });

  test('leaves nothing behind when the caller hangs up', async () => {
    const world = issuerWorld();
    const caller = new AbortController();
    const answer = waiting(world, caller.signal);
    await vi.advanceTimersByTimeAsync(10);
    caller.abort();
    await answer;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a poll is refused', () => {
  test.each([
    ['to strangers', 'stranger', {}, 401, 'client_unknown'],
    ['to clients that may not hear events', 'woodpecker', {}, 403, 'client_not_permitted'],
    ['with a nonce that is too long', 'sts', { nonce: 'x'.repeat(65) }, 400, 'request_malformed'],
    ['with a receiver that is no plain name', 'sts', { receiver: 'a b' }, 400, 'request_malformed'],
    ['with a broken member', 'sts', { maxEvents: 'all' }, 400, 'request_malformed'],
  ])('%s', async (_what, as, body, status, reason) => {
    const world = issuerWorld();
    const answer = await poll(world, body, as);
    expect([answer.status, lastReason(world)]).toEqual([status, reason]);
  });
});
