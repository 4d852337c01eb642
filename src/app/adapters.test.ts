// What the operator reads in the log of a server, and what is never written there; that no randomness comes twice.
import { describe, expect, test } from 'vitest';
import type { Log } from '../base/ports/log.ts';
import { createLog, reservedRandom } from './adapters.ts';

/** The lines that `write` makes, as JSON and as they stand. */
function linesOf(
  write: (log: Log) => void,
  level = 'info',
): readonly { readonly json: object; readonly text: string }[] {
  const lines: string[] = [];
  write(createLog(level, 'sts', { write: (line) => lines.push(line) }));
  return lines.map((text) => ({ json: JSON.parse(text), text }));
}

describe('the log', () => {
  test('says which server speaks, and tells of an error with message, stack and cause', () => {
    const err = new TypeError('the store is gone', { cause: new Error('disk full') });
    const [line] = linesOf((log) => log.error({ decision: 'D1', err }, 'an exchange failed'));
    expect(line?.json).toMatchObject({ server: 'sts', decision: 'D1', msg: 'an exchange failed' });
    expect(line?.json).toMatchObject({
      err: { type: 'TypeError', message: expect.stringContaining('the store is gone') },
    });
    expect(line?.text).toContain('disk full');
    expect(line?.text).toContain('adapters.test.ts');
  });

  test.each(['token', 'secret', 'authorization', 'request_token', 'access_token', 'subject_token', 'client_secret'])(
    'never shows the value of %s, at the top or one level down',
    (name) => {
      const [line] = linesOf((log) => log.warn({ [name]: 's3cr3t', headers: { [name]: 's3cr3t' } }, 'refused'));
      expect(line?.text).not.toContain('s3cr3t');
      expect(line?.json).toMatchObject({ [name]: '[secret]', headers: { [name]: '[secret]' } });
    },
  );

  test('leaves out what lies below its level', () => {
    expect(linesOf((log) => log.info({}, 'chatter'), 'warn')).toEqual([]);
  });
});

describe('randomness with a reserve', () => {
  /** Bytes that count up, so that each is known again. */
  function counting() {
    let next = 0;
    const drawn: number[] = [];
    const random = reservedRandom((length) => {
      drawn.push(length);
      return Buffer.from(Array.from({ length }, () => next++ % 251));
    });
    return { random, drawn };
  }

  test('no byte is given out twice, and none changes once it was given', () => {
    const { random, drawn } = counting();
    const taken = Array.from({ length: 30 }, () => random.bytes(7));
    expect(taken.flatMap((bytes) => [...bytes])).toEqual(Array.from({ length: 210 }, (_, index) => index));
    expect(drawn).toHaveLength(1);
  });

  test('what is left of a reserve too small is thrown away', () => {
    const { random, drawn } = counting();
    const taken = Array.from({ length: 86 }, () => random.bytes(12));
    expect(drawn).toEqual([1024, 1024]);
    expect([...(taken.at(-1) ?? [])]).toEqual(Array.from({ length: 12 }, (_, index) => (1024 + index) % 251));
  });

  test('keys and secrets are drawn for themselves', () => {
    const { random, drawn } = counting();
    expect(random.bytes(32)).toHaveLength(32);
    expect(drawn).toEqual([32]);
  });
});
