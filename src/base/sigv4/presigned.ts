// The query form: a presigned request, whose authentication is all in parameters of the query, read strictly.
import { ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import { ALGORITHM } from './canonical-request.ts';
import { decode } from './percent.ts';
import type { PresentedSignature } from './presented.ts';
import { refused, type SigV4Failure } from './problem.ts';
import { parseQuery, SIGNATURE_PARAMETER } from './query.ts';
import type { SignableRequest } from './request.ts';

/** Of Signature Version 2. Its other parameters, Signature and Expires, mean nothing without it. */
const VERSION_2 = 'AWSAccessKeyId';

/** Null: a presigner made it of a header, in whatever case that had. */
const SPELLINGS: ReadonlyMap<string, string | null> = new Map([
  ['x-amz-algorithm', 'X-Amz-Algorithm'],
  ['x-amz-credential', 'X-Amz-Credential'],
  ['x-amz-date', 'X-Amz-Date'],
  ['x-amz-expires', 'X-Amz-Expires'],
  ['x-amz-signedheaders', 'X-Amz-SignedHeaders'],
  ['x-amz-signature', SIGNATURE_PARAMETER],
  ['x-amz-security-token', 'X-Amz-Security-Token'],
  ['x-amz-content-sha256', null],
  ['awsaccesskeyid', VERSION_2],
]);

const REQUIRED = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  SIGNATURE_PARAMETER,
] as const;

/** The parameters of the query that speak of authentication: names in lower case, values decoded. */
export type AuthParameters = ReadonlyMap<string, string>;

/**
 * Finds them. Fails with `query_malformed`, `duplicated`, or `component_malformed` for a name in another case (which a
 * reader with another sense of case would take) and for values that are not UTF-8.
 */
export function findAuthParameters(query: string): Result<AuthParameters, SigV4Failure> {
  const found = new Map<string, string>();
  const parameters = parseQuery(query);
  if (!parameters.ok) return parameters;
  const isVersion2 = parameters.value.some(({ name }) => name === VERSION_2);
  for (const { name, value } of parameters.value) {
    const key = name.toLowerCase();
    const spelling = SPELLINGS.get(key);
    if (spelling === undefined) continue;
    // Version 2 writes headers as parameters in lower case; its user is to read that it is not served, nothing less clear.
    const isAsWritten = spelling === null || spelling === name || isVersion2;
    const text = decode(value);
    if (text === undefined || !isAsWritten) {
      return refused('component_malformed', `the parameter ${quote(name)} is not what it must be`, name);
    }
    if (found.has(key)) return refused('duplicated', `the parameter ${name} is there twice`, name);
    found.set(key, text);
  }
  return ok(found);
}

/** Headers that hold what the query form has in parameters: with both, two readers could follow two of them. */
const HEADERS_OF_THE_OTHER_FORM = ['x-amz-date', 'x-amz-security-token'];

/**
 * What the query form presents. Precondition: no Authorization header. Fails with `unsupported_version`,
 * `unsupported_algorithm`, `component_missing`, `query_auth_mixed`.
 */
export function readQueryForm(
  parameters: AuthParameters,
  headers: SignableRequest['headers'],
): Result<PresentedSignature, SigV4Failure> {
  const get = (name: string): string => parameters.get(name) ?? '';
  if (parameters.has('awsaccesskeyid')) {
    return refused('unsupported_version', 'the request is presigned by Signature Version 2', 'AWSAccessKeyId');
  }
  const algorithm = parameters.get('x-amz-algorithm') ?? ALGORITHM;
  if (algorithm !== ALGORITHM) {
    return refused('unsupported_algorithm', `the algorithm is ${quote(algorithm)}, not ${ALGORITHM}`, algorithm);
  }
  const missing = REQUIRED.filter((name) => get(name.toLowerCase()) === '').join(', ');
  if (missing !== '') return refused('component_missing', `the query lacks ${missing}`, missing);
  const other = HEADERS_OF_THE_OTHER_FORM.find((name) => headers.has(name));
  if (other !== undefined) return refused('query_auth_mixed', `a presigned request has the header ${other}`, other);
  return ok({
    form: 'query',
    credential: get('x-amz-credential'),
    signedHeaders: get('x-amz-signedheaders'),
    signature: get('x-amz-signature'),
    amzDate: get('x-amz-date'),
    expires: get('x-amz-expires'),
    securityToken: parameters.get('x-amz-security-token') ?? null,
    payloadHash: parameters.get('x-amz-content-sha256') ?? null,
  });
}
