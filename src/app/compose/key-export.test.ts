// The issuer's public documents as files: whole, brought by the hook, and a key waits until it is there.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import type { KeyExportPlan } from '../config/plan.ts';
import { KeyExporter } from './key-export.ts';

const JWKS = '.well-known/jwks';
let folder: string;
let clock: FrozenClock;
let log: MemoryLog;
let kids: readonly string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-export-'));
  clock = new FrozenClock();
  log = new MemoryLog();
  kids = ['a'];
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const exporter = (hook: readonly [string, ...string[]] | null): KeyExporter => {
  const plan: KeyExportPlan = {
    folder,
    hook: hook === null ? null : { command: hook, env: { PATH: process.env.PATH ?? '' } },
  };
  const documents = () => ({ files: new Map([[JWKS, JSON.stringify({ keys: kids })]]), kids });
  return new KeyExporter({ plan, documents, clock, log });
};

test('files are written whole, then the hook runs in their folder, without a shell and without the server’s secrets', async () => {
  vi.stubEnv('SECRET_OF_THE_SERVER', 'x');
  const script = `require('fs').writeFileSync('seen', JSON.stringify({ env: process.env, args: process.argv.slice(1), jwks: require('fs').readFileSync('${JWKS}', 'utf8') }))`;
  await exporter([process.execPath, '-e', script, '$HOME; true']).export();
  const seen = JSON.parse(readFileSync(join(folder, 'seen'), 'utf8'));
  expect(seen).toMatchObject({ jwks: '{"keys":["a"]}', args: ['$HOME; true'], env: { JOBPASS_EXPORT: folder } });
  expect(seen.env).not.toHaveProperty('SECRET_OF_THE_SERVER');
  expect(readdirSync(join(folder, '.well-known'))).toEqual(['jwks']);
});

test('a key is published since the export with it succeeded, also after a restart', async () => {
  const one = exporter(null);
  expect(one.publishedSince('a')).toBeNull();
  await one.export();
  const first = clock.nowSeconds();
  clock.advance(500);
  kids = ['b', 'a'];
  await one.export();
  const again = exporter(null);
  expect([again.publishedSince('a'), again.publishedSince('b')]).toEqual([first, first + 500]);
  kids = ['b'];
  await again.export();
  expect(again.publishedSince('a')).toBeNull();
});

test.each([
  ['a hook that fails', [process.execPath, '-e', 'process.exit(3)']],
  ['a hook that is not there', ['/nowhere/at/all']],
] as const)('%s is said, publishes no key, and is tried again until it succeeds', async (_what, hook) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const [program, ...args] = hook;
  const failing = exporter([program, ...args]);
  await failing.export();
  expect([failing.publishedSince('a'), log.lines.map(({ level }) => level)]).toEqual([null, ['error']]);
  await vi.advanceTimersByTimeAsync(30_000);
  await failing.close();
  expect(log.lines.length).toBeGreaterThan(0);
});

test('a marker that cannot be read makes keys wait once more', async () => {
  await exporter(null).export();
  writeFileSync(join(folder, '.jobpass-export.json'), '{"kids":');
  expect(exporter(null).publishedSince('a')).toBeNull();
});

test('after its end nothing is written any more', async () => {
  const one = exporter(null);
  await one.close();
  await one.export();
  expect(existsSync(join(folder, JWKS))).toBe(false);
});
