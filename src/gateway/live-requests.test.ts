// The watch over requests that are being served.
import { describe, expect, test } from 'vitest';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { LiveRequests } from './live-requests.ts';

const ended = failure('session_ended', 'ended');

describe('a live request', () => {
  test('goes on while it may, is aborted once when it may not, and is forgotten then', () => {
    const live = new LiveRequests(new MemoryLog());
    const aborted: Failure[] = [];
    let lapsed: Failure | undefined;
    live.add({ check: () => lapsed, abort: (reason) => aborted.push(reason) });
    live.sweep();
    expect([aborted, live.size]).toEqual([[], 1]);
    lapsed = ended;
    live.sweep();
    live.sweep();
    expect([aborted, live.size]).toEqual([[ended], 0]);
  });

  test('does not take others with it', () => {
    const live = new LiveRequests(new MemoryLog());
    const aborted: string[] = [];
    live.add({ check: () => ended, abort: () => aborted.push('one') });
    live.add({ check: () => undefined, abort: () => aborted.push('two') });
    live.sweep();
    expect([aborted, live.size]).toEqual([['one'], 1]);
  });

  test('is watched no longer once it is over', () => {
    const live = new LiveRequests(new MemoryLog());
    const over = live.add({ check: () => ended, abort: () => expect.unreachable() });
    over();
    live.sweep();
  });

  test('is aborted even when another one could not be', () => {
    const live = new LiveRequests(new MemoryLog());
    const aborted: string[] = [];
    live.add({
      check: () => ended,
      abort: () => {
        throw new Error('broken');
      },
    });
    live.add({ check: () => ended, abort: () => aborted.push('second') });
    live.sweep();
    expect(aborted).toEqual(['second']);
  });

  test('is aborted when whether it may go on cannot be said', () => {
    const live = new LiveRequests(new MemoryLog());
    const aborted: Failure[] = [];
    live.add({
      check: () => {
        throw new Error('broken');
      },
      abort: (reason) => aborted.push(reason),
    });
    live.sweep();
    expect(aborted.map(({ reason }) => reason)).toEqual(['internal_failure']);
  });
});
