// Security events and their delivery: both directions agree, and an event that could be read in two ways is refused.
import { describe, expect, test } from 'vitest';
import type { Claims } from '../../base/core/json.ts';
import {
  decodeSecurityEvent,
  encodeSecurityEvent,
  type JobEnded,
  SESSION_REVOKED,
  type SecurityEvent,
  VERIFICATION,
} from './event.ts';
import { decodeBatch, decodePoll, encodeBatch, encodePoll } from './poll.ts';

const ended: JobEnded = {
  kind: 'job_ended',
  issuer: 'https://ci.example.com',
  audience: 'sts',
  id: 'E1',
  issuedAt: 1_800_000_001,
  jobId: 'J1',
  endedAt: 1_800_000_000,
  cause: 'finished',
};

describe('an event', () => {
  const { endedAt: _endedAt, jobId: _jobId, cause: _cause, ...frame } = ended;
  test.each<[string, SecurityEvent]>([
    ['a job’s end', ended],
    [
      'a verification',
      {
        ...frame,
        kind: 'verification',
        state: 'nonce',
        audiences: ['https://sts.example.com', 'b'],
        knownSince: 1_799_999_999,
      },
    ],
    ['a verification without state', { ...frame, kind: 'verification', state: null, audiences: [], knownSince: null }],
  ])('comes back as it was said: %s', (_what, event) => {
    const read = decodeSecurityEvent(encodeSecurityEvent(event));
    expect(read.ok && read.value).toEqual(event);
  });

  test('carries neither sub nor exp (SSF 1.0 §4.1)', () => {
    expect(Object.keys(encodeSecurityEvent(ended))).toEqual(['iss', 'aud', 'jti', 'iat', 'sub_id', 'events']);
  });

  const whole = encodeSecurityEvent(ended);
  test.each<[string, Claims]>([
    ['of two kinds', { ...whole, events: { [SESSION_REVOKED]: {}, [VERIFICATION]: {} } }],
    ['of no kind', { ...whole, events: {} }],
    ['of another kind', { ...whole, events: { 'https://example.com/other': {} } }],
    ['without an audience', { ...whole, aud: '' }],
    ['to many', { ...whole, aud: ['sts'] }],
    ['without a time', { ...whole, iat: '1' }],
    ['about another issuer’s job', { ...whole, sub_id: { format: 'iss_sub', iss: 'https://evil.example', sub: 'J1' } }],
    ['about something else than a job', { ...whole, sub_id: { format: 'opaque', id: 'J1' } }],
    ['about no job', { ...whole, sub_id: { format: 'iss_sub', iss: ended.issuer, sub: '' } }],
    [
      'that says since when it knows everything in no time',
      { ...whole, events: { [VERIFICATION]: { known_since: '1' } } },
    ],
    ['without the time of the end', { ...whole, events: { [SESSION_REVOKED]: {} } }],
  ])('%s is refused', (_what, claims) => {
    const read = decodeSecurityEvent(claims);
    expect(!read.ok && read.error.reason).toBe('claim_malformed');
  });
});

describe('a poll', () => {
  test('comes back as it was sent', () => {
    const poll = {
      maxEvents: 3,
      returnImmediately: true,
      acknowledged: ['E1'],
      errors: [{ id: 'E2', code: 'invalid_key', description: 'no such key' }],
      nonce: 'n-1',
      receiver: 'store-1',
    };
    const read = decodePoll(encodePoll(poll));
    expect(read.ok && read.value).toEqual(poll);
  });

  test('may be empty: the answer is then held back for events', () => {
    const read = decodePoll({});
    expect(read.ok && read.value).toEqual({
      maxEvents: undefined,
      returnImmediately: false,
      acknowledged: [],
      errors: [],
      nonce: null,
      receiver: null,
    });
  });

  test.each([
    ['maxEvents', { maxEvents: -1 }],
    ['maxEvents', { maxEvents: 1.5 }],
    ['maxEvents', { maxEvents: null }],
    ['returnImmediately', { returnImmediately: 'true' }],
    ['ack', { ack: [''] }],
    ['ack', { ack: 'E1' }],
    ['ack', { ack: ['E1\0'] }],
    ['setErrs', { setErrs: { 'E1\0': { err: 'x' } } }],
    ['ack', { ack: Array.from({ length: 1001 }, () => 'E') }],
    ['setErrs', { setErrs: { E1: 'no' } }],
    ['nonce', { nonce: 'x'.repeat(65) }],
    ['nonce', { nonce: '' }],
    ['nonce', { nonce: 1 }],
    ['receiver', { receiver: 'x'.repeat(65) }],
    ['receiver', { receiver: 'a b' }],
    ['receiver', { receiver: '' }],
  ])('with a broken %s is refused', (_what, body) => {
    const read = decodePoll(body);
    expect(!read.ok && read.error.reason).toBe('request_malformed');
  });
});

test('a batch comes back as it was sent, and a broken one is refused', () => {
  const batch = { sets: new Map([['E1', 'a.b.c']]), moreAvailable: true };
  const read = decodeBatch(encodeBatch(batch));
  expect(read.ok && read.value).toEqual(batch);
  for (const body of [{}, { sets: [] }, { sets: { E1: 1 } }, { sets: {}, moreAvailable: 'no' }]) {
    expect(decodeBatch(body).ok).toBe(false);
  }
});
