import { describe, expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';

describe.each(COMMANDS.map((entry) => [entry.name, entry] as const))('jobpass %s', (name, entry) => {
  test('names every option that it takes in its usage and explains it, and no other', async () => {
    const { optionHelp, options, usage } = await entry.load();
    const taken = Object.keys(options).sort();
    const shown = new Set([...usage.matchAll(/--([a-z][a-z-]*)/g)].map(([, option]) => option));
    expect([...shown].sort()).toEqual(taken);
    expect(Object.keys(optionHelp).sort()).toEqual(taken);
    expect(usage.startsWith(`jobpass ${name} `)).toBe(true);
  });
});
