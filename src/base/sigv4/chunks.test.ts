// The chain of chunk signatures against the worked examples of S3's documentation.
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ChunkSignatures } from './chunks.ts';
import { isSameSignature, signingKey } from './signature.ts';

const scope = { date: '20130524', region: 'us-east-1', service: 's3' };
const key = signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', scope);
const amzDate = '20130524T000000Z';
const hashOf = (text: string): string => hash('sha256', text, 'hex');
const CHUNKS = ['a'.repeat(65_536), 'a'.repeat(1024), ''].map(hashOf);

describe('chunk signatures', () => {
  it('are those of "Transferring payload in multiple chunks"', () => {
    const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
    const chain = new ChunkSignatures({ key, scope, amzDate, signature: seed });
    expect(CHUNKS.map((chunk) => chain.next(chunk))).toEqual([
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ]);
  });

  it('and the trailer’s are those of "Including trailing headers"', () => {
    const seed = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e';
    const chain = new ChunkSignatures({ key, scope, amzDate, signature: seed });
    expect(CHUNKS.map((chunk) => chain.next(chunk))).toEqual([
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ]);
    expect(chain.trailer(hashOf('x-amz-checksum-crc32c:sOO8/Q==\n'))).toBe(
      'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
    );
  });

  it('depend on every chunk before', () => {
    const chainOf = () => new ChunkSignatures({ key, scope, amzDate, signature: '0'.repeat(64) });
    const [first, swapped] = [chainOf(), chainOf()];
    first.next(hashOf('a'));
    swapped.next(hashOf('b'));
    expect(first.next(hashOf(''))).not.toBe(swapped.next(hashOf('')));
  });
});

describe('the comparison of signatures', () => {
  const good = 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648';

  it('takes the same one', () => {
    expect(isSameSignature(good, good)).toBe(true);
  });

  it.each([good.replace('8', '9'), good.toUpperCase(), `${good}x`, `${good}00`, good.slice(2), ''])(
    'does not take "%s"',
    (presented) => {
      expect(isSameSignature(good, presented)).toBe(false);
    },
  );
});
