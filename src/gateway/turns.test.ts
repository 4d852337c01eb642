// Connections to the upstream: bounded for all and for each, and nobody waits for ever.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_CONNECTIONS, MAX_CONNECTIONS_OF_CALLER, MAX_CONNECTIONS_OF_ROLE, MAX_WAIT_MS, Turns } from './turns.ts';

let turns: Turns;
beforeEach(() => {
  vi.useFakeTimers();
  turns = new Turns();
});
afterEach(() => void vi.useRealTimers());

function ask(name: string, role = `role of ${name}`) {
  const seen: { state: string; leave: () => void } = { state: 'waiting', leave: () => {} };
  seen.leave = turns.take(
    { name, role },
    {
      onTurn: () => {
        seen.state = 'turn';
      },
      onTimeout: ({ reason }) => {
        seen.state = reason;
      },
    },
  );
  return seen;
}

const times = (count: number, caller: string, role?: string) => Array.from({ length: count }, () => ask(caller, role));

describe('a caller', () => {
  test('that holds its share waits, while others have their turn', () => {
    const own = times(MAX_CONNECTIONS_OF_CALLER + 1, 'a');
    expect([own.at(-2)?.state, own.at(-1)?.state, ask('b').state]).toEqual(['turn', 'waiting', 'turn']);
    own[0]?.leave();
    expect(own.at(-1)?.state).toBe('turn');
  });

  test('has its turn when one is given back, in the order of asking, past those whose share is taken', () => {
    for (let caller = 0; caller < MAX_CONNECTIONS / MAX_CONNECTIONS_OF_CALLER - 1; caller += 1)
      times(MAX_CONNECTIONS_OF_CALLER, `full ${caller}`);
    const [first] = times(MAX_CONNECTIONS_OF_CALLER, 'a');
    const waiting = [ask('full 0'), ask('b'), ask('c')];
    expect(waiting.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting']);
    first?.leave();
    expect(waiting.map(({ state }) => state)).toEqual(['waiting', 'turn', 'waiting']);
  });

  test('is told to come again when its turn does not come in time', () => {
    const own = times(MAX_CONNECTIONS_OF_CALLER + 1, 'a');
    vi.advanceTimersByTime(MAX_WAIT_MS);
    expect(own.at(-1)?.state).toBe('upstream_busy');
    own[0]?.leave();
    expect([own.at(-1)?.state, ask('a').state]).toEqual(['upstream_busy', 'turn']);
  });

  test('that gives up waiting takes nobody’s turn', () => {
    const own = times(MAX_CONNECTIONS_OF_CALLER + 2, 'a');
    own.at(-2)?.leave();
    own[0]?.leave();
    expect([own.at(-2)?.state, own.at(-1)?.state]).toEqual(['waiting', 'turn']);
    vi.advanceTimersByTime(MAX_WAIT_MS);
    expect(own.at(-2)?.state).toBe('waiting');
  });

  test('cannot give back twice what it held once', () => {
    const own = times(MAX_CONNECTIONS_OF_CALLER + 2, 'a');
    own[0]?.leave();
    own[0]?.leave();
    expect([own.at(-2)?.state, own.at(-1)?.state]).toEqual(['turn', 'waiting']);
  });
});

test('one role cannot hold every connection, with however many sessions', () => {
  const callers = MAX_CONNECTIONS / MAX_CONNECTIONS_OF_CALLER;
  const own = Array.from({ length: callers }, (_, session) =>
    times(MAX_CONNECTIONS_OF_CALLER, `session ${session}`, 'main/a'),
  ).flat();
  expect(own.filter(({ state }) => state === 'turn').length).toBe(MAX_CONNECTIONS_OF_ROLE);
  expect([ask('another', 'main/a').state, ask('another', 'main/b').state]).toEqual(['waiting', 'turn']);
  own[0]?.leave();
  expect(own.filter(({ state }) => state === 'turn').length).toBe(MAX_CONNECTIONS_OF_ROLE + 1);
});
