import { describe, expect, it } from 'vitest';
import { heldBack, outgoingBody, untilAborted } from './outgoing-body.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* pieces(texts: readonly string[], failure?: Error): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytes(text);
  if (failure !== undefined) throw failure;
}

/** What was given before the end, and the error if there was one. */
async function drain(body: AsyncIterable<Uint8Array>): Promise<{ readonly sent: string; readonly error?: unknown }> {
  let sent = '';
  try {
    for await (const piece of body) sent += Buffer.from(piece).toString();
    return { sent };
  } catch (error) {
    return { sent, error };
  }
}

describe('a body whose length was announced', () => {
  it.each([
    [['abc', 'def'], 6],
    [['abc'], 3],
    [['', 'abc', '', 'def', ''], 6],
    [[], 0],
  ])('goes out as it came in: %j', async (texts, length) => {
    expect(await drain(heldBack(pieces(texts), length))).toEqual({ sent: texts.join('') });
  });

  it('is never sent whole when it breaks off, not even at its very end', async () => {
    const broken = new Error('the hash is wrong');
    expect(await drain(heldBack(pieces(['abc', 'def'], broken), 6))).toEqual({ sent: 'abc', error: broken });
    expect(await drain(heldBack(pieces(['abcdef'], broken), 6))).toEqual({ sent: '', error: broken });
  });

  it('is never sent whole when it is longer or shorter than announced', async () => {
    const longer = await drain(heldBack(pieces(['abc', 'def']), 5));
    expect([longer.sent.length < 5, longer.error]).toEqual([true, expect.any(Error)]);
    const shorter = await drain(heldBack(pieces(['abc', 'def']), 7));
    expect([shorter.sent.length < 7, shorter.error]).toEqual([true, expect.any(Error)]);
  });
});

describe('a body of unannounced length', () => {
  const { signal } = new AbortController();
  const content = (body: AsyncIterable<Uint8Array>) => ({ body, size: null, checksums: () => ({}) });

  it('is measured before anything is sent', async () => {
    const body = await outgoingBody(content(pieces(['abc', 'def'])), signal);
    expect(body).toMatchObject({ ok: true, value: { length: 6 } });
    expect(body.ok && (await drain(body.value.bytes)).sent).toBe('abcdef');
  });

  it('is refused when it breaks off, when it is too long and when its caller leaves', async () => {
    const cause = new Error('no');
    expect(await outgoingBody(content(pieces(['abc'], cause)), signal)).toMatchObject({
      error: { problem: 'payload_refused', cause },
    });
    const mebibyte = 'x'.repeat(1024 * 1024);
    expect(await outgoingBody(content(pieces(Array.from({ length: 9 }, () => mebibyte))), signal)).toMatchObject({
      error: { problem: 'too_large' },
    });
    const gone = AbortSignal.abort();
    expect(await outgoingBody(content(pieces(['abc'])), gone)).toMatchObject({ error: { problem: 'aborted' } });
  });
});

it('a body that hangs lets go when its caller leaves', async () => {
  const hanging: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  };
  const leaving = new AbortController();
  const drained = drain(untilAborted(hanging, leaving.signal));
  leaving.abort();
  expect(await drained).toEqual({ sent: '', error: expect.any(Error) });
});
