// The body of a request: untouched before it is asked for, whole or an error, and left at once when the call is ended.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { drain } from '../connection.ts';
import { readRequestBody } from './request-body.ts';

/** As much of a request as a body needs. */
function requestOf(read: (this: Readable) => void, headers: Record<string, string> = {}) {
  const seen = { continued: 0 };
  const req = Object.assign(new Readable({ read }), { headers }) as unknown as IncomingMessage;
  const res = {
    headersSent: false,
    writeContinue: () => {
      seen.continued += 1;
    },
  } as unknown as ServerResponse;
  const ended = new AbortController();
  return { req, res, seen, ended, body: () => readRequestBody({ req, res, signal: ended.signal }) };
}

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const pieces = (...texts: string[]) =>
  function read(this: Readable): void {
    const text = texts.shift();
    // Later, as a network would.
    setImmediate(() => this.push(text === undefined ? null : Buffer.from(text)));
  };

describe('a body', () => {
  test('comes whole, in order', async () => {
    expect(await textOf(requestOf(pieces('one ', 'two ', 'three')).body())).toBe('one two three');
  });

  test('may be empty', async () => {
    expect(await textOf(requestOf(pieces()).body())).toBe('');
  });

  test('is asked for when the first byte is wanted, and only from a caller that waits', async () => {
    const waiting = requestOf(pieces('x'), { expect: '100-continue' });
    const body = waiting.body();
    expect(waiting.seen.continued).toBe(0);
    expect([await textOf(body), waiting.seen.continued]).toEqual(['x', 1]);
    const other = requestOf(pieces('x'));
    expect([await textOf(other.body()), other.seen.continued]).toEqual(['x', 0]);
  });

  test('that breaks off is an error, not an end', async () => {
    let pushed = false;
    const { req, body } = requestOf(function read() {
      if (!pushed) setImmediate(() => this.push('one'));
      pushed = true;
    });
    const reading = textOf(body());
    setImmediate(() => setImmediate(() => req.destroy()));
    await expect(reading).rejects.toThrow('closed the connection');
  });

  test('ends in the middle of a wait when the call is ended', async () => {
    const { body, ended } = requestOf(() => {});
    const reading = textOf(body());
    setImmediate(() => ended.abort());
    await expect(reading).rejects.toThrow('aborted');
  });

  test('whose rest is given up while it is read is an error, not a whole one', async () => {
    const { req, body } = requestOf(pieces('one ', 'two'));
    const reading = body();
    expect(await reading.next()).toMatchObject({ done: false });
    drain(Object.assign(req, { complete: false }));
    await expect(reading.next()).rejects.toThrow('given up');
  });

  test('that is left early leaves its connection open and listens no longer', async () => {
    const { req, body } = requestOf(pieces('one', 'two'));
    for await (const _ of body()) break;
    expect([req.destroyed, req.listenerCount('readable'), req.listenerCount('close')]).toEqual([false, 0, 0]);
  });
});
