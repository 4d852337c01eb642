// A call under watch: its turn, and everything that ends it.
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { LiveRequests } from '../live-requests.ts';
import { MAX_CONNECTIONS_OF_CALLER, Turns } from '../turns.ts';
import { type CutReason, IDLE_TIMEOUT_MS, LiveCall } from './live-call.ts';

const ONE = { name: 'one', role: 'main/publish-web' };

/** As much of an answer as a watch needs. */
class FakeResponse extends EventEmitter {
  destroyed = false;
  writableFinished = false;
  idle: { ms: number; onIdle: () => void } | undefined;
  setTimeout(ms: number, onIdle: () => void): void {
    this.idle = { ms, onIdle };
  }
}

function world() {
  const res = new FakeResponse();
  const requests = new LiveRequests(new MemoryLog());
  const cuts: CutReason[] = [];
  const state: { lapsed: Failure | undefined } = { lapsed: undefined };
  const call = new LiveCall({
    res: res as unknown as ServerResponse,
    live: requests,
    check: () => state.lapsed,
    onCut: (reason) => cuts.push(reason),
  });
  return { call, cuts, requests, res, state };
}

describe('a call', () => {
  test('is cut once, with the reason, when it may go on no longer', () => {
    const { call, cuts, requests, state } = world();
    call.start();
    requests.sweep();
    expect([call.signal.aborted, cuts]).toEqual([false, []]);
    state.lapsed = failure('session_ended', 'ended');
    requests.sweep();
    requests.sweep();
    expect([call.signal.aborted, cuts.map(({ reason, isIdle }) => [reason, isIdle]), requests.size]).toEqual([
      true,
      [['session_ended', false]],
      0,
    ]);
  });

  test('is cut when nothing moves for too long', () => {
    const { call, cuts, res } = world();
    call.start();
    expect(res.idle?.ms).toBe(IDLE_TIMEOUT_MS);
    res.idle?.onIdle();
    expect([call.signal.aborted, cuts.map(({ isIdle }) => isIdle)]).toEqual([true, [true]]);
  });

  test('is ended without an answer when its caller leaves', () => {
    const { call, cuts, res } = world();
    call.start();
    res.emit('close');
    expect([call.signal.aborted, cuts]).toEqual([true, []]);
  });

  test('is ended at once when its caller left before it began', () => {
    const { call, res } = world();
    res.destroyed = true;
    call.start();
    expect(call.signal.aborted).toBe(true);
  });

  test('is not ended by the end of its own answer', () => {
    const { call, res } = world();
    call.start();
    res.writableFinished = true;
    res.emit('close');
    expect(call.signal.aborted).toBe(false);
  });

  test('is watched no longer when it is over', () => {
    const { call, cuts, requests, res } = world();
    call.start();
    call.close();
    res.idle?.onIdle();
    expect([requests.size, cuts, res.listenerCount('close')]).toEqual([0, [], 0]);
  });
});

describe('a turn at the store', () => {
  test('comes at once while there is room, and is given back at the end', async () => {
    const turns = new Turns();
    for (let count = 0; count < 2 * MAX_CONNECTIONS_OF_CALLER; count += 1) {
      const { call } = world();
      call.start();
      expect(await call.turn(turns, ONE)).toEqual({ ok: true, value: null });
      call.close();
    }
  });

  test('is waited for no longer when the call ends', async () => {
    const turns = new Turns();
    for (let count = 0; count < MAX_CONNECTIONS_OF_CALLER; count += 1) await world().call.turn(turns, ONE);
    const { call, requests, state } = world();
    call.start();
    const turn = call.turn(turns, ONE);
    state.lapsed = failure('session_ended', 'ended');
    requests.sweep();
    expect((await turn).ok).toBe(true);
    expect(call.signal.aborted).toBe(true);
    call.close();
  });
});
