// What a caller learns of a key that is not there.
import { expect, test } from 'vitest';
import type { CopyObjectCall } from '../../wire/s3/call.ts';
import { failed, type Work } from './work.ts';

const COPY: CopyObjectCall = {
  operation: 'CopyObject',
  bucket: 'target',
  key: 'a',
  source: { bucket: 'source', key: 'b' },
  sourceConditions: {},
  conditions: {},
  attributes: null,
  conditionKeys: new Map(),
};

/** What a caller reads who may list these buckets, when the store misses a key. */
function read(buckets: readonly string[], conditions: CopyObjectCall['conditions']) {
  const permits: Work['permits'] = ({ resource }) => buckets.some((bucket) => resource === `arn:aws:s3:::${bucket}`);
  const outcome = failed({ permits } as Work, { ...COPY, conditions }, { problem: 'key_unknown', detail: '' });
  return outcome.ok && 'error' in outcome.value ? outcome.value.error.code : outcome;
}

test.each<[string, readonly string[], CopyObjectCall['conditions'], string]>([
  ['whose source is missing, by who may list it', ['source'], {}, 'NoSuchKey'],
  ['whose source is missing, by who may not', ['target'], {}, 'AccessDenied'],
  // The target may be what is missing, too.
  ['onto what it expects there, by who may list both', ['source', 'target'], { ifMatch: '*' }, 'NoSuchKey'],
  ['onto what it expects there, by who may list the source', ['source'], { ifMatch: '*' }, 'AccessDenied'],
  ['onto what it expects there, by who may list the target', ['target'], { ifMatch: '*' }, 'AccessDenied'],
])('a copy %s', (_what, buckets, conditions, code) => {
  expect(read(buckets, conditions)).toBe(code);
});
