// The credential of a signature: whose key, and the scope it is narrowed to.
import { ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import { refused, type SigV4Failure } from './problem.ts';

/** What a signing key is good for. */
export interface CredentialScope {
  /** YYYYMMDD. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** A scope with the key's id. */
export interface Credential extends CredentialScope {
  readonly accessKeyId: string;
}

/** What the credential of a request must say. */
export interface ExpectedScope {
  readonly service: string;
  /** Null: any region. */
  readonly region: string | null;
}

/** The last element of every scope of Version 4. */
export const TERMINAL = 'aws4_request';

export const scopeText = (scope: CredentialScope): string =>
  `${scope.date}/${scope.region}/${scope.service}/${TERMINAL}`;

/** STS model: an access key id is `\w` (16 to 128 characters; shorter ones are unknown rather than malformed). */
const ACCESS_KEY_ID = /^\w{1,128}$/;
const REGION = /^[A-Za-z0-9-]{1,64}$/;

/**
 * Reads `keyid/date/region/service/aws4_request` and compares all but the date, which only the date of the request can
 * confirm. Fails with `credential_malformed`, `scope_terminal`, `scope_service`, `scope_region`.
 */
export function readCredential(text: string, expected: ExpectedScope): Result<Credential, SigV4Failure> {
  const [accessKeyId = '', date = '', region = '', service = '', terminal = '', ...more] = text.split('/', 6);
  if (terminal === '' || more.length > 0 || !ACCESS_KEY_ID.test(accessKeyId) || !REGION.test(region)) {
    return refused('credential_malformed', `the credential ${quote(text)} is not keyid/date/region/service/term`, text);
  }
  if (terminal !== TERMINAL) {
    return refused('scope_terminal', `the scope ends in ${quote(terminal)}, not in ${TERMINAL}`, terminal);
  }
  if (service !== expected.service) {
    return refused('scope_service', `the scope is for ${quote(service)}, not for ${expected.service}`, service);
  }
  if (expected.region !== null && region !== expected.region) {
    return refused('scope_region', `the scope is for ${quote(region)}, not for ${expected.region}`, region);
  }
  return ok({ accessKeyId, date, region, service });
}
