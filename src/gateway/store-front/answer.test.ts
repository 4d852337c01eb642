// What becomes of an object whose answer does not come to its end.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { Answers } from './answer.ts';

const answers = new Answers<never>({
  documentType: 'text/plain',
  commonHeaders: () => ({}),
  encode: (error) => error,
});

function addressee() {
  // It is connected to nobody, which its end is told.
  const socket = new Socket().on('error', () => {});
  const req = new IncomingMessage(socket);
  return { req, res: new ServerResponse(req), decision: 'D1' };
}

const open = (sendTo: () => Promise<void>) => ({ body: Readable.from([Buffer.from('x')]), sendTo });

test('a head that cannot be written is a fault, and its object is let go of', async () => {
  const object = open(async () => {});
  const written = answers.write(addressee(), { status: 200, headers: { etag: 'a\nb' }, body: object });
  await expect(written).rejects.toThrow('Invalid character');
  expect(object.body.destroyed).toBe(true);
});

test('an object that breaks off cuts the connection', async () => {
  const to = addressee();
  const object = open(async () => {
    throw new Error('the disk is gone');
  });
  await answers.write(to, { status: 200, headers: {}, body: object });
  expect([to.req.socket.destroyed, object.body.destroyed]).toEqual([true, true]);
});
