// ARNs of roles are unique among what is in force, also when several files change in one reload.
import { beforeEach, expect, test } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { roleText, wideCeiling } from '../../test/fakes/roles.ts';
import { MemoryPolicies } from '../../test/fakes/sts-world.ts';
import { ceilingsOf } from './judge.ts';
import { BROKEN_GRACE_MS } from './policy-entries.ts';
import { ActivePolicies } from './policy-reload.ts';

const trust = '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]';
const arn = (name: string): string => `arn:aws:iam::000000000042:role/${name}`;

let source: MemoryPolicies;
let clock: FrozenClock;
let log: MemoryLog;
let active: ActivePolicies;
beforeEach(() => {
  source = new MemoryPolicies();
  source.files.clear();
  clock = new FrozenClock();
  log = new MemoryLog();
  const ceilings = ceilingsOf([wideCeiling('main'), wideCeiling('other')]);
  active = new ActivePolicies({ source, ceilings, clock, log, onChange: () => {} });
});

/** The role `name` of the tenant main, assumed as `roleArn`. */
const write = (name: string, roleArn: string): unknown =>
  source.files.set(`main/${name}.yaml`, roleText({ name, trust, roleArn }));
/** Whose each of the ARNs is. */
const owners = (...names: readonly string[]): readonly (string | undefined)[] =>
  names.map((name) => active.current().findByAwsArn(arn(name))?.name);

test('a role is found by its ARN exactly', async () => {
  write('a', arn('ci/X'));
  await active.start();
  expect(owners('ci/X', 'X', 'ci/x', 'other/X')).toEqual(['a', undefined, undefined, undefined]);
});

test('at the start a second file with an ARN is a problem at its place, whatever the path and the case of the role’s name', async () => {
  write('a', arn('ci/Deploy'));
  write('b', arn('deploy'));
  const refused = active.start();
  await expect(refused).rejects.toMatchObject({ code: 'ERR_POLICIES_INVALID' });
  await expect(refused).rejects.toThrow('main/b.yaml:5:18');
  await expect(refused).rejects.toThrow('main/a.yaml has this account and role name');
});

test('a role of another tenant’s account is beyond its ceiling', async () => {
  write('a', 'arn:aws:iam::000000000043:role/deploy');
  await expect(active.start()).rejects.toThrow('hint: 000000000042');
});

test('a file that claims a taken ARN is broken, and comes on when the ARN is free', async () => {
  write('a', arn('X'));
  await active.start();
  write('0a', arn('X'));
  await active.reload();
  expect(owners('X')).toEqual(['a']);
  expect(JSON.stringify(log.lines)).toContain('main/0a.yaml');
  source.files.delete('main/a.yaml');
  await active.reload();
  expect(owners('X')).toEqual(['0a']);
});

test('two files may change their ARNs for each other’s in one reload', async () => {
  write('a', arn('X'));
  write('b', arn('Y'));
  await active.start();
  write('a', arn('Y'));
  write('b', arn('X'));
  await active.reload();
  expect(owners('X', 'Y')).toEqual(['b', 'a']);
});

test('what falls back to its last good version keeps its ARN, and whoever wanted it falls back too', async () => {
  write('a', arn('X'));
  write('b', arn('Y'));
  write('c', arn('Z'));
  await active.start();
  write('a', arn('Y'));
  write('b', arn('Z'));
  await active.reload();
  expect(owners('X', 'Y', 'Z')).toEqual(['a', 'b', 'c']);
  // Ten minutes later their roles are off, and what they held is free.
  clock.advanceMs(BROKEN_GRACE_MS);
  expect(owners('X', 'Y', 'Z')).toEqual([undefined, undefined, 'c']);
  write('d', arn('X'));
  await active.reload();
  expect(owners('X', 'Y', 'Z')).toEqual(['d', 'a', 'c']);
});

test('a broken file keeps the ARN of its last good version for as long as that is in force', async () => {
  write('a', arn('X'));
  await active.start();
  source.files.set('main/a.yaml', 'role: [');
  write('b', arn('X'));
  await active.reload();
  expect(owners('X')).toEqual(['a']);
  clock.advanceMs(BROKEN_GRACE_MS);
  expect(owners('X')).toEqual([undefined]);
  await active.reload();
  expect(owners('X')).toEqual(['b']);
});
