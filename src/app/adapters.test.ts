// What the operator reads in the log of a server, and what is never written there.
import { describe, expect, test } from 'vitest';
import type { Log } from '../base/ports/log.ts';
import { createLog } from './adapters.ts';

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
