// Ids and lists of blocks: the form that the SDKs make, and a clear no for every other.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import { readBlockId } from './block-id.ts';
import { decodeBlockList } from './block-list.ts';

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

const idOf = (id: string) => {
  const read = readBlockId(id);
  return read.ok ? [read.value.upload, read.value.number] : read.error.code;
};

describe('a block id', () => {
  test.each<[string, string, string, number]>([
    [
      'of @azure/storage-blob',
      'be338134-0011-4df9-bab0-27fff56e3d20000000000042',
      'be338134-0011-4df9-bab0-27fff56e3d200000000',
      42,
    ],
    ['of azure-storage-blob for Python', 'BlockId00007', 'BlockId', 7],
    ['of nothing but a number', '00000', '', 0],
    ['the last', 'x09999', 'x', 9999],
  ])('%s is an upload and a number', (_what, id, upload, number) => {
    expect(idOf(base64(id))).toEqual([hex(upload), number]);
  });

  test.each<[string, string, string]>([
    ['none', '', 'InvalidBlockId'],
    ['no base64', 'a$b=', 'InvalidBlockId'],
    ['base64 without its padding', base64('xx00001').replace(/=+$/, ''), 'InvalidBlockId'],
    ['with bits that say nothing', 'MDAwMDF=', 'InvalidBlockId'],
    ['base64url', Buffer.from([0xfb, 0xff, 0x30, 0x30, 0x30, 0x30, 0x31]).toString('base64url'), 'InvalidBlockId'],
    ['too long', base64(`${'x'.repeat(60)}00001`), 'InvalidBlockId'],
    ['without a number', base64('block-a'), 'InvalidBlockId'],
    ['with too short a number', base64('block1234'), 'InvalidBlockId'],
    ['beyond the last', base64('x10000'), 'BlockCountExceedsLimit'],
  ])('that is %s is refused', (_what, id, code) => {
    expect(idOf(id)).toBe(code);
  });

  test('says all of the id: no two ids are one block', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const id = Buffer.from(bytes).toString('base64');
        const read = readBlockId(id);
        if (!read.ok) return;
        const made = Buffer.concat([
          Buffer.from(read.value.upload, 'hex'),
          Buffer.from(String(read.value.number).padStart(5, '0')),
        ]);
        expect(made.toString('base64')).toBe(id);
      }),
      { numRuns: propertyRuns() },
    );
  });
});

const list = (...elements: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><BlockList>${elements.join('')}</BlockList>`;
const latest = (id: string): string => `<Latest>${base64(id)}</Latest>`;

const listOf = (text: string) => {
  const read = decodeBlockList(Buffer.from(text));
  return read.ok ? read.value : read.error.code;
};

describe('a list of blocks', () => {
  test('is what the SDK sends', () => {
    expect(listOf(list(latest('x00000'), latest('x00001'), latest('x00007')))).toEqual({
      upload: hex('x'),
      numbers: [0, 1, 7],
    });
    expect(listOf(list(`<Uncommitted>${base64('x00003')}</Uncommitted>`))).toEqual({ upload: hex('x'), numbers: [3] });
    expect(listOf('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><BlockList/>')).toEqual({
      upload: null,
      numbers: [],
    });
  });

  test.each<[string, string, string]>([
    ['committed blocks', list(`<Committed>${base64('x00000')}</Committed>`), 'UnsupportedXmlNode'],
    ['other elements', list('<Block>x</Block>'), 'UnsupportedXmlNode'],
    ['elements inside', list('<Latest><Id>x</Id></Latest>'), 'InvalidXmlDocument'],
    ['a block twice', list(latest('x00001'), latest('x00001')), 'InvalidBlockList'],
    ['another order', list(latest('x00001'), latest('x00000')), 'InvalidBlockList'],
    ['blocks of two uploads', list(latest('x00000'), latest('y00001')), 'InvalidBlockList'],
    ['blocks of two lengths', list(latest('x00000'), latest('xx00001')), 'InvalidBlockList'],
    ['an id that is none', list('<Latest>?</Latest>'), 'InvalidBlockId'],
    ['text beside the blocks', '<BlockList>x</BlockList>', 'InvalidXmlDocument'],
    ['another root', '<Blocks/>', 'InvalidXmlDocument'],
    ['no document', '', 'InvalidXmlDocument'],
    ['an entity', '<!DOCTYPE x [<!ENTITY a "b">]><BlockList/>', 'InvalidXmlDocument'],
    ['more than there may be', list(...Array.from({ length: 10_001 }, () => latest('x00000'))), 'InvalidXmlDocument'],
  ])('with %s is refused', (_what, text, code) => {
    expect(listOf(text)).toBe(code);
  });
});
