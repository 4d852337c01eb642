// The issuer's URL on both ends: the same text, and of a form that an AWS-style STS takes. Pure.
import { type Finding, holds, type StsKind, unseen, wrong } from './finding.ts';

/** What the two ends call the issuer. */
export interface IssuerNames {
  /** The token's `iss`. */
  readonly token: string;
  /** Where the issuer is said to be; absent: nobody said it. */
  readonly expected: string | undefined;
  /** The issuers that the trust policy names. */
  readonly trusted: readonly string[];
  readonly sts: StsKind;
}

/** Equality first, then form. */
export const issuerUrlFindings = (names: IssuerNames): readonly Finding[] => [
  equalityFinding(names),
  formFinding(names.token, names.sts),
];

function equalityFinding({ token, expected, trusted }: IssuerNames): Finding {
  const wanted = expected === undefined ? trusted : [expected];
  const whose = expected === undefined ? 'the trust policy names' : 'it should be';
  if (!wanted.includes(token)) {
    const nearest = wanted.find((one) => differenceOf(one, token) !== undefined) ?? wanted[0];
    const difference = nearest === undefined ? undefined : differenceOf(nearest, token);
    const why = difference === undefined ? '' : `: they differ only in ${difference}`;
    const names = nearest === undefined ? 'the trust policy names no issuer of web identities' : `${whose} ${nearest}`;
    return wrong('issuer', `the token says ${token}, ${names}${why}`, EQUALITY_FIX);
  }
  if (trusted.includes(token)) return holds('issuer', token);
  return wrong('issuer', `${token}, which the trust policy does not name`, EQUALITY_FIX);
}

const EQUALITY_FIX = 'iss, the provider’s URL and Principal.Federated must be one text, to the last character';

/** How two URLs just miss being the same text. */
function differenceOf(one: string, other: string): string | undefined {
  const without = (text: string): string => text.replace(/\/$/, '');
  if (without(one) === without(other)) return 'a slash at the end';
  if (one.toLowerCase() === other.toLowerCase()) return 'case';
  const bare = (text: string): string => text.replace(/^https?:\/\//, '');
  return bare(one) === bare(other) ? 'http and https' : undefined;
}

/** CreateOpenIDConnectProvider: https, no port, no query. */
function formFinding(issuer: string, sts: StsKind): Finding {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return wrong('issuer form', 'no URL of a server', 'iss is an https URL');
  if (url.username !== '' || url.password !== '' || issuer.includes('?') || issuer.includes('#'))
    return wrong('issuer form', 'a query, fragment or user has no place in an issuer', 'set issuer.url without it');
  const beyond = [
    ...(url.protocol === 'http:' ? ['http'] : []),
    ...(/^https?:\/\/(?:\[[^\]]*\]|[^/:]*):/.test(issuer) ? ['a port'] : []),
  ].join(' and ');
  if (beyond === '') return holds('issuer form', 'https, no port, no query');
  return sts === 'aws'
    ? wrong('issuer form', `${beyond}: AWS takes https on its own port alone`, FORM_FIX)
    : unseen(
        'issuer form',
        `${beyond}: Ceph RGW takes it, AWS does not; whether this STS does cannot be seen from here`,
      );
}

const FORM_FIX = 'set issuer.url to an https URL without a port (or say --compatible when this is not AWS)';
