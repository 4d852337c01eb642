import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { stopSignals } from './stop-signals.ts';

function fakeProcess() {
  const killed: unknown[] = [];
  const source = Object.assign(new EventEmitter(), { pid: 7, kill: (...kill: unknown[]) => killed.push(kill) });
  return { source, killed, press: (signal: string) => source.emit(signal, signal) };
}

test('the first signal asks to stop, the second ends the program', () => {
  const { source, killed, press } = fakeProcess();
  const { signal } = stopSignals(source);
  expect(signal.aborted).toBe(false);
  press('SIGINT');
  expect([signal.aborted, killed]).toEqual([true, []]);
  press('SIGINT');
  expect(killed).toEqual([[7, 'SIGINT']]);
});

test('a command that puts something in order is spared the second, and the third ends the program', () => {
  const { source, killed, press } = fakeProcess();
  let spared = 0;
  const { signal } = stopSignals(source, () => {
    spared += 1;
  });
  press('SIGINT');
  expect([signal.aborted, spared]).toEqual([true, 0]);
  press('SIGINT');
  expect([spared, killed]).toEqual([1, []]);
  press('SIGTERM');
  expect(killed).toEqual([[7, 'SIGTERM']]);
  // Nobody of ours listens now, so that the signal has its ordinary effect.
  expect([source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([0, 0]);
});

test('a command that is over leaves no listener', () => {
  const { source } = fakeProcess();
  stopSignals(source).release();
  expect([source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([0, 0]);
});
