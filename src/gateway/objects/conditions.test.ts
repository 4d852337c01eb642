import { describe, expect, test } from 'vitest';
import { checkRead, checkSource, checkWrite } from './conditions.ts';
import type { Conditions, ObjectInfo } from './store.ts';

const MODIFIED_AT = 1_790_000_000_500;
const current: ObjectInfo = {
  key: 'a',
  size: 1,
  etag: 'e',
  modifiedAt: MODIFIED_AT,
  generation: 7,
  checksums: {},
  metadata: {},
};

const problem = (result: ReturnType<typeof checkRead>) => (result.ok ? 'holds' : result.error.problem);

describe('reads', () => {
  test.each<readonly [Conditions, string]>([
    [{}, 'holds'],
    [{ ifMatch: ['x', 'e'] }, 'holds'],
    [{ ifMatch: [] }, 'precondition_failed'],
    [{ ifNoneMatch: ['x'] }, 'holds'],
    [{ ifNoneMatch: [] }, 'holds'],
    [{ ifNoneMatch: ['e'] }, 'not_modified'],
    [{ ifGenerationMatch: 7 }, 'holds'],
    [{ ifGenerationMatch: 0 }, 'precondition_failed'],
    // The object's own Last-Modified has no milliseconds: whoever sends it back has the newest.
    [{ ifModifiedSince: MODIFIED_AT - 500 }, 'not_modified'],
    [{ ifUnmodifiedSince: MODIFIED_AT - 500 }, 'holds'],
    [{ ifUnmodifiedSince: MODIFIED_AT - 501 }, 'precondition_failed'],
    [{ ifMatch: ['e'], ifUnmodifiedSince: 0 }, 'holds'],
    [{ ifNoneMatch: ['x'], ifModifiedSince: MODIFIED_AT }, 'holds'],
    [{ ifMatch: ['x'], ifNoneMatch: ['e'] }, 'precondition_failed'],
  ])('%j: %s', (conditions, expected) => {
    expect(problem(checkRead(current, conditions))).toBe(expected);
    // A copy reads nothing for its caller, so it never answers that the caller has it.
    expect(problem(checkSource(current, conditions))).toBe(
      expected === 'not_modified' ? 'precondition_failed' : expected,
    );
  });
});

describe('writes', () => {
  test.each<readonly [Conditions, over: string, onNothing: string]>([
    [{}, 'holds', 'holds'],
    [{ ifMatch: ['e'] }, 'holds', 'key_unknown'],
    [{ ifMatch: ['x'] }, 'precondition_failed', 'key_unknown'],
    [{ ifMatch: '*' }, 'holds', 'key_unknown'],
    [{ ifNoneMatch: '*' }, 'precondition_failed', 'holds'],
    [{ ifNoneMatch: ['e'] }, 'precondition_failed', 'holds'],
    [{ ifNoneMatch: ['x'] }, 'holds', 'holds'],
    [{ ifGenerationMatch: 7 }, 'holds', 'precondition_failed'],
    [{ ifGenerationMatch: 0 }, 'precondition_failed', 'holds'],
    [{ ifModifiedSince: MODIFIED_AT, ifUnmodifiedSince: 0 }, 'holds', 'holds'],
  ])('%j: %s over an object, %s over nothing', (conditions, over, onNothing) => {
    expect(problem(checkWrite(current, conditions))).toBe(over);
    expect(problem(checkWrite(undefined, conditions))).toBe(onNothing);
  });
});
