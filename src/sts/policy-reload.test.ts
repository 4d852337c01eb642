// Policies reload per file: good changes and deletions at once, a broken file keeps its last good version for ten minutes.
import { beforeEach, describe, expect, test } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { roleText, wideCeiling } from '../../test/fakes/roles.ts';
import { MemoryPolicies, PUBLISH, PUBLISH_TEXT } from '../../test/fakes/sts-world.ts';
import { MAX_POLICY_BYTES } from '../base/core/limits.ts';
import { decide } from '../policy/decide.ts';
import { ceilingsOf } from './judge.ts';
import { BROKEN_GRACE_MS } from './policy-entries.ts';
import { ActivePolicies } from './policy-reload.ts';

const FILE = `${PUBLISH}.yaml`;
const ROLE = { tenant: 'main', name: 'publish-web' };
const OTHER_TEXT = roleText({
  name: 'preview',
  trust: '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]',
});

let source: MemoryPolicies;
let clock: FrozenClock;
let log: MemoryLog;
let changes: number;
let active: ActivePolicies;
beforeEach(() => {
  source = new MemoryPolicies();
  clock = new FrozenClock();
  log = new MemoryLog();
  changes = 0;
  const onChange = (): void => {
    changes += 1;
  };
  active = new ActivePolicies({ source, ceilings: ceilingsOf([wideCeiling()]), clock, log, onChange });
});

const isOn = (name = 'publish-web'): boolean => active.current().find({ ...ROLE, name }) !== undefined;

describe('at the start', () => {
  test('every problem of every file is told at once, and nothing is active', async () => {
    source.files.set('main/broken.yaml', 'role: broken\nrol: x\n');
    source.files.set('nowhere/publish.yaml', PUBLISH_TEXT);
    source.files.set('main/Bad Name.yaml', PUBLISH_TEXT);
    source.files.set('main/bytes.yaml', new Uint8Array([0xff, 0xfe]));
    source.files.set('main/large.yaml', ' '.repeat(MAX_POLICY_BYTES + 1));
    const error = await active.start().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'ERR_POLICIES_INVALID' });
    for (const named of ['broken.yaml', 'nowhere/publish.yaml', 'Bad Name.yaml', 'bytes.yaml', 'large.yaml']) {
      expect(String(error)).toContain(named);
    }
    expect(isOn()).toBe(false);
    expect(source.isWatched).toBe(false);
  });

  test('a folder that cannot be read is an error', async () => {
    source.broken = new Error('EACCES');
    await expect(active.start()).rejects.toThrow('EACCES');
  });
});

describe('after a change', () => {
  beforeEach(() => active.start());

  test('a new role is on, an edited one is the new one, a deleted one is off, each at once', async () => {
    const before = active.current();
    source.files.set('main/preview.yaml', OTHER_TEXT);
    await active.reload();
    expect([isOn('preview'), changes]).toEqual([true, 2]);
    source.files.set(FILE, PUBLISH_TEXT.replace('30m', '5m'));
    await active.reload();
    expect(active.current().find(ROLE)?.session.maxDurationSeconds).toBe(300);
    source.files.delete(FILE);
    await active.reload();
    expect(isOn()).toBe(false);
    expect(before.find(ROLE)?.session.maxDurationSeconds).toBe(1800);
  });

  test('nothing changes, and nobody is told, when the files are as they were', async () => {
    const before = active.current();
    await active.reload();
    expect([active.current(), changes]).toEqual([before, 1]);
  });

  test('a broken file keeps its last good version for ten minutes, whatever else changes, then its role is off', async () => {
    source.files.set(FILE, 'role: [');
    await active.reload();
    clock.advanceMs(BROKEN_GRACE_MS / 2);
    source.files.set('main/preview.yaml', OTHER_TEXT);
    await active.reload();
    clock.advanceMs(BROKEN_GRACE_MS / 2 - 1);
    expect([isOn(), isOn('preview')]).toEqual([true, true]);
    clock.advanceMs(1);
    expect([isOn(), isOn('preview')]).toEqual([false, true]);
    source.files.set(FILE, PUBLISH_TEXT);
    await active.reload();
    expect(isOn()).toBe(true);
  });

  test('a file that was never good does not come on, and one that was repaired has its ten minutes again', async () => {
    source.files.set('main/preview.yaml', 'role: [');
    source.files.set(FILE, 'role: [');
    await active.reload();
    expect(isOn('preview')).toBe(false);
    clock.advanceMs(BROKEN_GRACE_MS - 1);
    source.files.set(FILE, PUBLISH_TEXT);
    await active.reload();
    source.files.set(FILE, 'role: [');
    await active.reload();
    clock.advanceMs(BROKEN_GRACE_MS - 1);
    expect(isOn()).toBe(true);
  });

  test('a role that did not change is the very same one', async () => {
    const before = active.current().find(ROLE);
    source.files.set('main/preview.yaml', OTHER_TEXT);
    await active.reload();
    expect(active.current().find(ROLE)).toBe(before);
    source.files.set(FILE, `${PUBLISH_TEXT}\n`);
    await active.reload();
    expect(active.current().find(ROLE)).not.toBe(before);
  });

  test('a file that a role names is part of it: changed, broken and deleted like the role’s own', async () => {
    const azure = (subject: string): string =>
      JSON.stringify({ issuer: 'https://ci.example.com', subject, audiences: ['a'] });
    const byAzure = { tenant: 'main', name: 'azure' };
    const isFor = (sub: string): boolean => {
      const token = { issuer: 'https://ci.example.com', claims: { sub, aud: 'a' }, now: 0 };
      return decide(active.current(), { ...token, role: byAzure }).allow;
    };
    source.files.set('main/azure.yaml', roleText({ name: 'azure', trust: '[{ azure_file: azure.json }]' }));
    await active.reload();
    expect(active.current().find(byAzure)).toBeUndefined();
    source.documents.set('main/azure.json', azure('x'));
    await active.reload();
    expect([isFor('x'), isFor('y')]).toEqual([true, false]);
    const before = active.current();
    source.documents.set('main/azure.json', azure('y'));
    await active.reload();
    expect([isFor('x'), isFor('y')]).toEqual([false, true]);
    expect(active.current().id).not.toBe(before.id);
    source.documents.delete('main/azure.json');
    await active.reload();
    expect(isFor('y')).toBe(true);
    clock.advanceMs(BROKEN_GRACE_MS);
    expect(isFor('y')).toBe(false);
  });

  test('a folder that cannot be read counts as broken, not as empty', async () => {
    source.broken = new Error('EIO');
    await active.reload();
    expect(isOn()).toBe(true);
    clock.advanceMs(BROKEN_GRACE_MS);
    expect(isOn()).toBe(false);
    expect(log.lines.some((line) => line.level === 'error')).toBe(true);
  });

  test('that comes during a reload is not lost', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const list = source.list.bind(source);
    source.list = async () => {
      const files = await list();
      await held;
      return files;
    };
    const first = active.reload();
    source.files.set('main/preview.yaml', OTHER_TEXT);
    source.changed();
    release();
    await first;
    expect(isOn('preview')).toBe(true);
  });

  test('is no longer listened to after the end', async () => {
    await active.close();
    expect(source.isWatched).toBe(false);
  });
});
