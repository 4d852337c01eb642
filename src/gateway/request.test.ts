// What becomes of a request when its front itself breaks.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { createEntrance } from './entrance.ts';
import { RefusalDesk } from './refusal.ts';
import { handlerOf, type Side } from './request.ts';

const broken = (what: string) => (): never => {
  throw new Error(what);
};

/** What is left of a connection, and in the log, after a request to such a front. */
async function after(side: Pick<Side, 'serve' | 'sayNo'>) {
  const log = new MemoryLog();
  const desk = new RefusalDesk({ clock: new FrozenClock(), log });
  const handle = handlerOf(
    { newDecisionId: () => 'D1', desk, entrance: createEntrance({}) },
    { front: 'guard', broken: (unexpected) => unexpected, ...side },
  );
  const req = new IncomingMessage(new Socket());
  handle(req, new ServerResponse(req));
  await nextTurn();
  return { isOpen: !req.socket.destroyed, details: log.lines.map(({ fields }) => fields.detail) };
}

test('a front that breaks refuses', async () => {
  const answered: unknown[] = [];
  const sayNo: Side['sayNo'] = (_exchange, { reason }) => void answered.push(reason);
  expect(await after({ serve: async () => broken('serving')(), sayNo })).toEqual({
    isOpen: true,
    details: ['Error: serving'],
  });
  expect(answered).toEqual(['internal_failure']);
});

test('one that cannot even say so ends that connection, and nothing else', async () => {
  expect(await after({ serve: async () => broken('serving')(), sayNo: broken('answering') })).toEqual({
    isOpen: false,
    details: ['Error: serving', 'Error: answering'],
  });
});
