// Reading signatures: one refusal per check, and a refusal for every problem.
import { describe, expect, it } from 'vitest';
import {
  changeAuthorization,
  changeHeaders,
  changeQuery,
  EMPTY_HASH,
  headerSigned,
  presigned,
  SESSION_TOKEN,
  SIGNED_AT,
  unsignedRequest,
} from '../../../test/fakes/signed-requests.ts';
import { SIGV4_PROBLEMS, type SigV4Problem } from './problem.ts';
import { readSignature } from './read.ts';
import type { SignableRequest } from './request.ts';

const read = (request: SignableRequest, nowSeconds: number = SIGNED_AT) =>
  readSignature(request, { service: 's3', region: 'us-east-1', nowSeconds });

interface Refusal {
  readonly problem: SigV4Problem;
  readonly when: string;
  readonly request: SignableRequest;
  readonly now?: number;
  readonly component?: string;
}

const header = headerSigned('s3');
const query = presigned('s3');
const signature = '0'.repeat(64);
const replaceSignature = (to: string) => changeAuthorization(header, /Signature=.*/, `Signature=${to}`);
const signedHeaders = (list: string) => changeAuthorization(header, /SignedHeaders=[^,]*/, `SignedHeaders=${list}`);
const ALL = 'host;x-amz-content-sha256;x-amz-date;x-amz-security-token';

const FORMS: readonly Refusal[] = [
  { problem: 'auth_missing', when: 'neither form is there', request: unsignedRequest() },
  {
    problem: 'scheme_unknown',
    when: 'the scheme is another',
    request: changeHeaders(header, { authorization: ['Bearer x'] }),
  },
  {
    problem: 'scheme_unknown',
    when: 'the header is empty',
    request: changeHeaders(header, { authorization: [''] }),
  },
  {
    problem: 'unsupported_version',
    when: 'the header is of Version 2',
    request: changeHeaders(header, { authorization: ['AWS AKID:c2ln'] }),
    component: 'AWS',
  },
  {
    problem: 'unsupported_version',
    when: 'the query is of Version 2',
    request: unsignedRequest({ query: 'AWSAccessKeyId=AKID&Expires=1790000000&Signature=c2ln' }),
    component: 'AWSAccessKeyId',
  },
  {
    problem: 'unsupported_version',
    when: 'the query is of Version 2 and of a session, as boto3 presigns it',
    request: unsignedRequest({ query: 'AWSAccessKeyId=AKID&Signature=c2ln&x-amz-security-token=t&Expires=1790000000' }),
    component: 'AWSAccessKeyId',
  },
  {
    problem: 'unsupported_algorithm',
    when: 'the header is of SigV4A',
    request: changeAuthorization(header, 'AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
    component: 'AWS4-ECDSA-P256-SHA256',
  },
  {
    problem: 'unsupported_algorithm',
    when: 'the query is of SigV4A',
    request: changeQuery(query, 'AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
    component: 'AWS4-ECDSA-P256-SHA256',
  },
  {
    problem: 'query_auth_mixed',
    when: 'both forms are complete',
    request: { ...header, query: query.query },
  },
  {
    problem: 'query_auth_mixed',
    when: 'the query of a header form has a session token',
    request: { ...header, query: 'X-Amz-Security-Token=t' },
  },
  ...['x-amz-date', 'x-amz-security-token'].map(
    (name): Refusal => ({
      problem: 'query_auth_mixed',
      when: `a presigned request has the header ${name}`,
      request: changeHeaders(query, { [name]: ['x'] }),
      component: name,
    }),
  ),
];

const DUPLICATES: readonly Refusal[] = [
  ...['authorization', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'].map((name): Refusal => {
    const [value = ''] = header.headers.get(name) ?? [];
    return {
      problem: 'duplicated',
      when: `the header ${name} is there twice`,
      request: changeHeaders(header, { [name]: [value, value] }),
      component: name,
    };
  }),
  ...['Credential', 'SignedHeaders', 'Signature'].map(
    (name): Refusal => ({
      problem: 'duplicated',
      when: `the component ${name} is there twice`,
      request: changeAuthorization(header, new RegExp(`(${name}=[^,]*)`), '$1,$1'),
      component: name,
    }),
  ),
  ...['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature', 'Security-Token'].map(
    (name): Refusal => ({
      problem: 'duplicated',
      when: `the parameter X-Amz-${name} is there twice`,
      request: changeQuery(query, new RegExp(`(X-Amz-${name}=[^&]*)`), '$1&$1'),
      component: `X-Amz-${name}`,
    }),
  ),
  {
    problem: 'duplicated',
    when: 'the payload hash of a presigned request is another in the header',
    request: {
      ...presigned('s3', {
        query: 'X-Amz-Content-Sha256=UNSIGNED-PAYLOAD',
        headers: new Map([
          ['host', ['h']],
          ['x-amz-content-sha256', [EMPTY_HASH]],
        ]),
      }),
    },
    component: 'x-amz-content-sha256',
  },
];

const COMPONENTS: readonly Refusal[] = [
  {
    problem: 'component_malformed',
    when: 'a component has no equals sign',
    request: changeAuthorization(header, 'SignedHeaders=', 'SignedHeaders-'),
    component: `SignedHeaders-${ALL}`,
  },
  {
    problem: 'component_malformed',
    when: 'a component is unknown',
    request: changeAuthorization(header, 'Signature=', 'Other=1, Signature='),
    component: 'Other=1',
  },
  {
    problem: 'component_malformed',
    when: 'a parameter is spelled in another case',
    request: changeQuery(query, 'X-Amz-Expires', 'x-amz-expires'),
    component: 'x-amz-expires',
  },
  {
    problem: 'component_malformed',
    when: 'a parameter is not UTF-8',
    request: changeQuery(query, 'X-Amz-Date=', 'X-Amz-Date=%FF'),
    component: 'X-Amz-Date',
  },
  {
    problem: 'component_missing',
    when: 'there are no components at all',
    request: changeHeaders(header, { authorization: ['AWS4-HMAC-SHA256'] }),
    component: 'Credential, SignedHeaders, Signature',
  },
  ...['Credential', 'SignedHeaders', 'Signature'].map(
    (name): Refusal => ({
      problem: 'component_missing',
      when: `the component ${name} is empty`,
      request: changeAuthorization(header, new RegExp(`${name}=[^,]*`), `${name}=`),
      component: name,
    }),
  ),
  ...['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'].map(
    (name): Refusal => ({
      problem: 'component_missing',
      when: `the parameter X-Amz-${name} is absent`,
      request: changeQuery(query, new RegExp(`X-Amz-${name}=[^&]*&|&X-Amz-${name}=[^&]*$`), ''),
      component: `X-Amz-${name}`,
    }),
  ),
  {
    problem: 'query_malformed',
    when: 'an escape of the query is broken',
    request: { ...header, query: 'prefix=%2' },
  },
];

const SCOPES: readonly Refusal[] = [
  ...['ID/20261123/us-east-1/s3', 'I D/20261123/us-east-1/s3/aws4_request', 'ID/20261123//s3/aws4_request'].map(
    (text): Refusal => ({
      problem: 'credential_malformed',
      when: `the credential is ${text}`,
      request: changeAuthorization(header, /Credential=[^,]*/, `Credential=${text}`),
      component: text,
    }),
  ),
  {
    problem: 'scope_terminal',
    when: 'the scope ends otherwise',
    request: changeAuthorization(header, 'aws4_request', 'aws5_request'),
    component: 'aws5_request',
  },
  { problem: 'scope_service', when: 'the service is another', request: headerSigned('sts'), component: 'sts' },
  {
    problem: 'scope_region',
    when: 'the region is another',
    request: changeAuthorization(header, 'us-east-1', 'us-east-2'),
    component: 'us-east-2',
  },
  {
    problem: 'scope_date',
    when: 'the day is another',
    request: changeAuthorization(header, '20261123', '20261124'),
    component: '20261124',
  },
  {
    problem: 'date_missing',
    when: 'there is no X-Amz-Date, though there is a Date',
    request: changeHeaders(header, { 'x-amz-date': [], date: ['Mon, 23 Nov 2026 01:02:03 GMT'] }),
    component: 'X-Amz-Date',
  },
  ...['20261123T010203', '2026-11-23T01:02:03Z', '20261123T240000Z', '20261131T010203Z', ' 20261123T010203Z'].map(
    (text): Refusal => ({
      problem: 'date_malformed',
      when: `X-Amz-Date is "${text}"`,
      request: changeHeaders(header, { 'x-amz-date': [text] }),
      component: text,
    }),
  ),
];

const TIMES: readonly Refusal[] = [
  { problem: 'clock_skewed', when: '15 minutes and a second late', request: header, now: SIGNED_AT + 901 },
  { problem: 'clock_skewed', when: '15 minutes and a second early', request: header, now: SIGNED_AT - 901 },
  { problem: 'clock_skewed', when: 'presigned for the future', request: query, now: SIGNED_AT - 901 },
  { problem: 'presign_expired', when: 'its last second is over', request: query, now: SIGNED_AT + 300 },
  ...['0', '-1', '604801', '1.5', '0300', '9999999', '1e3', ' 300', '+300'].map(
    (text): Refusal => ({
      problem: 'presign_lifetime',
      when: `X-Amz-Expires is "${text}"`,
      request: presigned('s3', {}, text),
      component: text,
    }),
  ),
];

const HEADERS: readonly Refusal[] = [
  ...['Host;x-amz-date', 'x-amz-date;host', 'host;host', 'host;', ';host', 'host,x-amz-date', 'host; x-amz-date'].map(
    (list): Refusal => ({
      problem: list.includes(',') ? 'component_malformed' : 'signed_headers_malformed',
      when: `SignedHeaders is "${list}"`,
      request: signedHeaders(list),
      component: list.includes(',') ? 'x-amz-date' : list,
    }),
  ),
  {
    problem: 'signed_header_absent',
    when: 'a signed header has been taken away',
    request: signedHeaders(`content-type;${ALL}`),
    component: 'content-type',
  },
  { problem: 'host_unsigned', when: 'the host is not signed', request: signedHeaders(ALL.slice(5)), component: 'host' },
  {
    problem: 'headers_unsigned',
    when: 'x-amz-* headers are not signed',
    request: changeHeaders(header, { 'x-amz-tagging': ['a=b'], 'x-amz-acl': ['public-read'] }),
    component: 'x-amz-acl, x-amz-tagging',
  },
  {
    problem: 'headers_unsigned',
    when: 'a presigned request has an x-amz-* header',
    request: changeHeaders(query, { 'x-amz-copy-source': ['bucket/other'] }),
    component: 'x-amz-copy-source',
  },
  ...[signature.toUpperCase().replaceAll('0', 'A'), `${signature}x`, `${signature}00`, signature.slice(2), 'zz'].map(
    (text): Refusal => ({
      problem: 'signature_malformed',
      when: `the signature has ${text.length} characters of ${text.slice(-1)}`,
      request: replaceSignature(text),
    }),
  ),
];

const REFUSALS = [...FORMS, ...DUPLICATES, ...COMPONENTS, ...SCOPES, ...TIMES, ...HEADERS];

/** Found with the key only: verify.test.ts has them. */
const OF_VERIFICATION: readonly SigV4Problem[] = ['signature_mismatch', 'path_malformed', 'header_malformed'];

describe('a signature is refused', () => {
  it.each(REFUSALS)('as $problem when $when', ({ request, now, problem, component }) => {
    const claim = read(request, now);
    expect(claim).toMatchObject({ ok: false, error: { problem, ...(component !== undefined && { component }) } });
    expect(JSON.stringify(claim)).not.toContain(SESSION_TOKEN);
  });

  it('for every problem that there is', () => {
    const provoked = new Set([...REFUSALS.map(({ problem }) => problem), ...OF_VERIFICATION]);
    expect([...provoked].sort()).toEqual(Object.keys(SIGV4_PROBLEMS).sort());
  });
});
