import { expect, it } from 'vitest';
import type { JsonObject } from '../../../../base/core/json.ts';
import { parseJws } from '../../../../base/jwt/jws.ts';
import { certificateFindings } from './aws-keys.ts';

const encode = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const parsed = parseJws(`${encode({ alg: 'RS256', kid: 'a' })}.${encode({ sub: 'x' })}.AAAA`);
if (!parsed.ok) throw new Error(parsed.error.detail);
const token = parsed.value;
const key = (kid: string): JsonObject => ({ kid, x5c: ['AAAA'] });
const told = (keys: readonly JsonObject[]) =>
  certificateFindings(keys, token).map(({ check, outcome }) => [check, outcome]);

it('one certified key that signed is all that an STS with pinned certificates wants', () => {
  expect(told([key('a')])).toEqual([['certificates', 'ok']]);
});

it('a second published key will sign after a rotation, and must be registered by then', () => {
  expect(told([key('a'), key('b')])).toEqual([
    ['certificates', 'ok'],
    ['pinned certificates', 'unseen'],
  ]);
});

it('keys without certificates are wrong there, however many', () => {
  expect(told([key('a'), { kid: 'b' }])).toEqual([['certificates', 'wrong']]);
});
