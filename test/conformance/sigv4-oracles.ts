// Random requests signed by two independent signers, `aws4` and `@smithy/signature-v4`, as they would arrive on the wire.
import { hash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import aws4 from 'aws4';
import fc from 'fast-check';
import type { SigV4Problem } from '../../src/base/sigv4/problem.ts';
import { readSignature } from '../../src/base/sigv4/read.ts';
import type { SignableRequest } from '../../src/base/sigv4/request.ts';
import { signingKey } from '../../src/base/sigv4/signature.ts';
import { verifySignature } from '../../src/base/sigv4/verify.ts';

const CREDENTIALS = {
  accessKeyId: 'ASIAJOBPASSJOBPASS22',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiJzIn0.c2ln/+=',
};
const REGION = 'eu-central-1';
const HOST = '127.0.0.1:9000';
const AMZ_DATE = '20261123T010203Z';
export const NOW_SECONDS = Date.UTC(2026, 10, 23, 1, 2, 3) / 1000;

/** What a client means to send. Names and values are decoded text. */
export interface Draft {
  readonly service: 's3' | 'sts';
  readonly form: 'header' | 'query';
  readonly method: string;
  readonly segments: readonly string[];
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What arrives. */
export interface Wire {
  readonly service: 's3' | 'sts';
  readonly request: SignableRequest;
  readonly body: string;
}

export type Oracle = (draft: Draft) => Promise<Wire>;

/** Unreserved characters as they are, the UTF-8 bytes of all others as %XY. */
const escapeAll = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const pathOf = (draft: Draft): string => `/${draft.segments.map(escapeAll).join('/')}`;
const queryOf = (query: Iterable<readonly [string, readonly string[]]>): string =>
  [...query].flatMap(([name, values]) => values.map((value) => `${escapeAll(name)}=${escapeAll(value)}`)).join('&');

/** Headers as a server hands them on: lower case, UTF-8 seen as latin1, no space at the ends. */
const arrive = (headers: Readonly<Record<string, unknown>>): SignableRequest['headers'] =>
  new Map(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      [Buffer.from(String(value), 'utf8').toString('latin1').trim()],
    ]),
  );

/** The query begins at the first "?". */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

export const byAws4: Oracle = async (draft) => {
  const presigned = new Map([
    ['X-Amz-Date', [AMZ_DATE]],
    ['X-Amz-Expires', ['300']],
  ]);
  const query = queryOf(draft.form === 'query' ? [...presigned, ...draft.query] : draft.query);
  const signed = aws4.sign(
    {
      service: draft.service,
      region: REGION,
      method: draft.method,
      host: HOST,
      path: query === '' ? pathOf(draft) : `${pathOf(draft)}?${query}`,
      headers: { ...draft.headers, ...(draft.form === 'query' ? {} : { 'X-Amz-Date': AMZ_DATE }) },
      body: draft.body,
      signQuery: draft.form === 'query',
    },
    CREDENTIALS,
  );
  const target = splitTarget(signed.path ?? '');
  const request = { method: draft.method, ...target, headers: arrive({ ...signed.headers }) };
  return { service: draft.service, request, body: draft.body };
};

export const bySmithy: Oracle = async (draft) => {
  const signer = new SignatureV4({
    service: draft.service,
    region: REGION,
    credentials: CREDENTIALS,
    sha256: Sha256,
    uriEscapePath: draft.service !== 's3',
  });
  const isUnsigned = draft.form === 'query' && draft.service === 's3';
  const plain = {
    method: draft.method,
    protocol: 'http:',
    hostname: '127.0.0.1',
    path: pathOf(draft),
    query: Object.fromEntries([...draft.query].map(([name, values]) => [name, [...values]])),
    headers: { host: HOST, ...draft.headers, ...(isUnsigned ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {}) },
    body: draft.body,
  };
  const signingDate = new Date(NOW_SECONDS * 1000);
  const signed = await (draft.form === 'query'
    ? signer.presign(plain, { signingDate, expiresIn: 300 })
    : signer.sign(plain, { signingDate }));
  const query = queryOf(
    Object.entries(signed.query ?? {}).map(([name, value]) => [name, Array.isArray(value) ? value : [value ?? '']]),
  );
  const request = { method: draft.method, path: signed.path, query, headers: arrive(signed.headers) };
  return { service: draft.service, request, body: draft.body };
};

/** Judges a request as a server with this one session would: the key by its id, the body by its hash. */
export function judge(
  wire: Wire,
  nowSeconds: number = NOW_SECONDS,
): 'accepted' | 'key_unknown' | 'body' | SigV4Problem {
  const { service, request, body } = wire;
  const claim = readSignature(request, { service, region: REGION, nowSeconds });
  if (!claim.ok) return claim.error.problem;
  if (claim.value.accessKeyId !== CREDENTIALS.accessKeyId) return 'key_unknown';
  const bodyHash = hash('sha256', body, 'hex');
  const unsigned = claim.value.form === 'query' ? 'UNSIGNED-PAYLOAD' : null;
  const payloadHash = service === 'sts' ? bodyHash : (claim.value.payloadHash ?? unsigned);
  if (payloadHash !== bodyHash && payloadHash !== 'UNSIGNED-PAYLOAD') return 'body';
  const verified = verifySignature(request, claim.value, {
    key: signingKey(CREDENTIALS.secretAccessKey, claim.value),
    payloadHash,
    pathEncoding: service === 's3' ? 'single' : 'double',
  });
  return verified.ok ? 'accepted' : verified.error.problem;
}

const text = (pieces: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((chosen) => chosen.join(''));
const PIECES = [
  ...[
    'a',
    'Z',
    '09',
    ' ',
    '+',
    'é',
    'e\u0301',
    '%',
    '%2F',
    '%2f',
    '~',
    '-',
    '_',
    '.',
    '..',
    '日本',
    '😀',
    '=',
    '&',
    '?',
  ],
  ...["'", '(', ')', '*', '!', ';', ':', '@', ',', '#', '$', '"', '<', '>', '\\', '^', '`', '{', '|', '}', '[', ']'],
];
const QUERY_NAMES = [
  'prefix',
  'list-type',
  'uploads',
  'x-id',
  'a',
  'A',
  'a-b',
  'a b',
  'é',
  'a+b',
  'a%2Fb',
  '~',
  '10',
  '9',
];
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'];

/** `isRepeatable`: aws4 signs only the first value of a repeated name for S3, so it is not asked to. */
const queries = (isRepeatable: boolean): fc.Arbitrary<Draft['query']> =>
  fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom(...QUERY_NAMES),
        fc.array(text(PIECES), { minLength: 1, maxLength: isRepeatable ? 3 : 1 }),
      ),
      { selector: ([name]) => name, maxLength: 4 },
    )
    .map((entries) => new Map(entries));

const headerValues = text(['a', 'B', '1', ' ', '  ', ',', 'é', '=', ';', '"', '/']);

/** Requests of either service, in either form. Segments of S3 hold slashes too, so that they arrive as %2F. */
export const drafts = (isRepeatable: boolean): fc.Arbitrary<Draft> =>
  fc.constantFrom<Draft['service']>('s3', 'sts').chain((service) =>
    fc.record({
      service: fc.constant(service),
      form: fc.constantFrom<Draft['form']>('header', 'query'),
      method: fc.constantFrom(...METHODS),
      segments: service === 's3' ? fc.array(text([...PIECES, '/']), { maxLength: 4 }) : fc.constant([]),
      query: queries(isRepeatable || service === 'sts'),
      headers: headerValues.map((value) => ({ 'x-jobpass-test': `x${value}`, 'content-type': 'text/plain' })),
      body: text(PIECES),
    }),
  );
