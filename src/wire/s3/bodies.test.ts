// The bodies of CompleteMultipartUpload and DeleteObjects: what clients send, and what is refused.
import { describe, expect, test } from 'vitest';
import { decodeCompletion, decodeDelete, MAX_XML_BYTES } from './bodies.ts';

const completion = (text: string) => decodeCompletion(Buffer.from(text));
const deletion = (text: string) => decodeDelete(Buffer.from(text));
const codeOf = (answer: ReturnType<typeof completion> | ReturnType<typeof deletion>): string =>
  answer.ok ? 'taken' : answer.error.code;

const part = (number: number | string, more = ''): string =>
  `<Part><ETag>"00112233445566778899aabbccddeeff"</ETag>${more}<PartNumber>${number}</PartNumber></Part>`;
const parts = (...list: readonly string[]): string =>
  `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
const object = (...members: readonly string[]): string => `<Object>${members.join('')}</Object>`;
const objects = (...list: readonly string[]): string => `<Delete>${list.join('')}</Delete>`;

describe('the parts of an upload', () => {
  test('are read as botocore and the SDK for JavaScript send them', () => {
    const answer = completion(
      '<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        '<Part><ETag>&quot;aa&quot;</ETag><ChecksumCRC32>jVKYRQ==</ChecksumCRC32><PartNumber>1</PartNumber></Part>' +
        '<Part><PartNumber>3</PartNumber><ETag>bb</ETag></Part></CompleteMultipartUpload>',
    );
    expect(answer.ok && answer.value).toEqual([
      { part: 1, etag: 'aa', checksums: { crc32: 'jVKYRQ==' } },
      { part: 3, etag: 'bb', checksums: {} },
    ]);
  });

  test('may be 10,000', () => {
    const sums = '<ChecksumSHA256>15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94</ChecksumSHA256>';
    const all = Array.from({ length: 10_000 }, (_, at) => part(at + 1, sums));
    const answer = completion(parts(...all));
    expect(answer.ok && answer.value.length).toBe(10_000);
    expect(codeOf(completion(parts(...all, part(10_001))))).toBe('MalformedXML');
  });

  test.each([
    ['no part', parts(), 'MalformedXML'],
    ['another root', '<Delete/>', 'MalformedXML'],
    ['another element', parts('<Object/>'), 'MalformedXML'],
    ['a member that nobody reads', parts(part(1, '<Size>1</Size>')), 'MalformedXML'],
    ['a member twice', parts(part(1, '<PartNumber>2</PartNumber>')), 'MalformedXML'],
    ['no ETag', parts('<Part><PartNumber>1</PartNumber></Part>'), 'MalformedXML'],
    ['an empty ETag', parts('<Part><PartNumber>1</PartNumber><ETag/></Part>'), 'MalformedXML'],
    ['no number', parts('<Part><ETag>a</ETag></Part>'), 'MalformedXML'],
    ['number 0', parts(part(0)), 'MalformedXML'],
    ['number 10001', parts(part(10_001)), 'MalformedXML'],
    ['a number in another form', parts(part('0x1')), 'MalformedXML'],
    ['falling numbers', parts(part(2), part(1)), 'InvalidPartOrder'],
    ['a number twice', parts(part(1), part(1)), 'InvalidPartOrder'],
    ['text', '<CompleteMultipartUpload>x</CompleteMultipartUpload>', 'MalformedXML'],
    ['no XML', 'x', 'MalformedXML'],
    ['nothing', '', 'MalformedXML'],
    ['more bytes than any upload has', parts(part(1), ' '.repeat(MAX_XML_BYTES)), 'MaxMessageLengthExceeded'],
  ])('are refused with %s', (_what, text, code) => {
    expect(codeOf(completion(text))).toBe(code);
  });
});

describe('the keys to delete', () => {
  test('are read with every character that a key may have', () => {
    const answer = deletion(
      objects('<Quiet>true</Quiet>', object('<Key>a &amp; b/../é&#x1;&#13;  </Key>'), object('<Key>..</Key>')),
    );
    expect(answer.ok && answer.value).toEqual({ keys: ['a & b/../é\u0001\r  ', '..'], isQuiet: true });
  });

  test('are told one by one unless the request is quiet', () => {
    const answer = deletion(objects(object('<Key>a</Key>'), '<Quiet>false</Quiet>'));
    expect(answer.ok && answer.value.isQuiet).toBe(false);
  });

  test('may be 1,000', () => {
    const all = Array.from({ length: 1000 }, (_, at) => object(`<Key>${at}</Key>`));
    expect(codeOf(deletion(objects(...all)))).toBe('taken');
    expect(codeOf(deletion(objects(...all, object('<Key>x</Key>'))))).toBe('MalformedXML');
  });

  test.each([
    ['no key', objects(), 'MalformedXML'],
    ['an object without key', objects(object()), 'MalformedXML'],
    ['an empty key', objects(object('<Key></Key>')), 'MalformedXML'],
    ['a key twice in an object', objects(object('<Key>a</Key><Key>b</Key>')), 'MalformedXML'],
    ['elements in a key', objects(object('<Key><Key>a</Key></Key>')), 'MalformedXML'],
    ['a NUL', objects(object('<Key>a&#0;</Key>')), 'MalformedXML'],
    ['a version', objects(object('<Key>a</Key><VersionId>1</VersionId>')), 'NotImplemented'],
    ['a condition', objects(object('<Key>a</Key><ETag>1</ETag>')), 'NotImplemented'],
    ['a member that nobody reads', objects(object('<Key>a</Key><Owner>1</Owner>')), 'MalformedXML'],
    ['an unclear wish for quiet', objects('<Quiet>yes</Quiet>', object('<Key>a</Key>')), 'MalformedXML'],
    ['two wishes', objects('<Quiet>true</Quiet><Quiet>false</Quiet>', object('<Key>a</Key>')), 'MalformedXML'],
    ['a key beyond the bound', objects(object(`<Key>${'é'.repeat(513)}</Key>`)), 'KeyTooLongError'],
    ['another root', parts(part(1)), 'MalformedXML'],
  ])('are refused with %s', (_what, text, code) => {
    expect(codeOf(deletion(text))).toBe(code);
  });
});
