import { describe, expect, test } from 'vitest';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { type Opened, startWhole } from './opened.ts';

describe('a start', () => {
  const starting = (...failing: readonly string[]) => {
    const closed: string[] = [];
    const open = (opened: Opened, name: string): void => {
      opened.own({
        close: async () => {
          await Promise.resolve();
          closed.push(name);
          if (failing.includes(name)) throw new Error(`${name} stays open`);
        },
      });
    };
    return { closed, log: new MemoryLog(), open };
  };

  test('gives what closes all that it opened, last first, once', async () => {
    const { closed, log, open } = starting();
    const server = await startWhole(log, async (opened) => {
      for (const name of ['store', 'keeper', 'listener']) open(opened, name);
      return { name: 'issuer' };
    });
    expect(server.name).toBe('issuer');
    expect(closed).toEqual([]);
    await server.close();
    await server.close();
    expect(closed).toEqual(['listener', 'keeper', 'store']);
  });

  test('that fails closes what was open by then, and throws why it failed', async () => {
    const { closed, log, open } = starting();
    const failed = startWhole(log, async (opened) => {
      open(opened, 'store');
      open(opened, 'keeper');
      throw new Error('the port is taken');
    });
    await expect(failed).rejects.toThrow('the port is taken');
    expect(closed).toEqual(['keeper', 'store']);
    expect(log.lines).toEqual([]);
  });

  test('that fails says why even when something cannot be closed, which is logged, and closes the rest', async () => {
    const { closed, log, open } = starting('keeper');
    const failed = startWhole(log, async (opened) => {
      for (const name of ['store', 'keeper', 'listener']) open(opened, name);
      throw new Error('the port is taken');
    });
    await expect(failed).rejects.toThrow('the port is taken');
    expect(closed).toEqual(['listener', 'keeper', 'store']);
    expect(log.lines).toMatchObject([{ level: 'error', message: 'not all that was opened could be closed' }]);
  });

  test('that succeeded tells of what cannot be closed later, and closes the rest', async () => {
    const { closed, log, open } = starting('listener');
    const server = await startWhole(log, async (opened) => {
      for (const name of ['store', 'listener']) open(opened, name);
      return {};
    });
    await expect(server.close()).rejects.toThrow('listener stays open');
    expect(closed).toEqual(['listener', 'store']);
  });
});
