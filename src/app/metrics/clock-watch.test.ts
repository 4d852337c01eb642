import { expect, test } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { ClockWatch } from './clock-watch.ts';

test('a wall clock that is set is noticed once, in either direction; drift and waiting are not', () => {
  const clock = new FrozenClock();
  const watch = new ClockWatch(clock);
  const steps: number[] = [];
  const look = () => steps.push(watch.look());
  clock.advance(3600);
  look();
  clock.stepWallMs(900);
  look();
  clock.stepWallMs(60_000);
  look();
  look();
  clock.advance(5);
  clock.stepWallMs(-120_000);
  look();
  expect(steps).toEqual([0, 0, 60_000, 0, -120_000]);
});
