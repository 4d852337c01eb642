// The issuer's URL on both ends: the same text, and of a form that the STS takes. Pure.
import type { Cloud, IssuerPart } from './cloud.ts';
import { type Finding, holds, unseen, wrong } from './finding.ts';

/** What the two ends call the issuer. */
export interface IssuerNames {
  /** The token's `iss`. */
  readonly token: string;
  /** Where the issuer is said to be; absent: nobody said it. */
  readonly expected: string | undefined;
  /** The issuers that the examined document names. */
  readonly trusted: readonly string[];
}

/** Equality first, then form. */
export const issuerUrlFindings = (names: IssuerNames, cloud: Cloud): readonly Finding[] => [
  equalityFinding(names, cloud),
  formFinding(names.token, cloud),
];

function equalityFinding({ token, expected, trusted }: IssuerNames, { document, issuerFix }: Cloud): Finding {
  const wanted = expected === undefined ? trusted : [expected];
  const whose = expected === undefined ? `${document} names` : 'it should be';
  if (!wanted.includes(token)) {
    const nearest = wanted.find((one) => differenceOf(one, token) !== undefined) ?? wanted[0];
    const difference = nearest === undefined ? undefined : differenceOf(nearest, token);
    const why = difference === undefined ? '' : `: they differ only in ${difference}`;
    const names = nearest === undefined ? `${document} names no issuer` : `${whose} ${nearest}`;
    return wrong('issuer', `the token says ${token}, ${names}${why}`, issuerFix);
  }
  if (trusted.includes(token)) return holds('issuer', token);
  return wrong('issuer', `${token}, which ${document} does not name`, issuerFix);
}

/** How two URLs just miss being the same text. */
function differenceOf(one: string, other: string): string | undefined {
  const without = (text: string): string => text.replace(/\/$/, '');
  if (without(one) === without(other)) return 'a slash at the end';
  if (one.toLowerCase() === other.toLowerCase()) return 'case';
  const bare = (text: string): string => text.replace(/^https?:\/\//, '');
  return bare(one) === bare(other) ? 'http and https' : undefined;
}

function formFinding(issuer: string, { isItself, issuerForm, name }: Cloud): Finding {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return wrong('issuer form', 'no URL of a server', 'iss is an https URL');
  if (url.username !== '' || url.password !== '' || issuer.includes('?') || issuer.includes('#'))
    return wrong('issuer form', 'a query, fragment or user has no place in an issuer', 'set issuer.url without it');
  const beyond = issuerForm.refused.filter((part) => PARTS[part](issuer)).join(' and ');
  if (beyond === '') return holds('issuer form', `${url.protocol === 'http:' ? 'http' : 'https'}, no query`);
  const fix = `set issuer.url to such a URL (or say --compatible when this is not ${name})`;
  return isItself
    ? wrong('issuer form', `${beyond}: ${name} takes ${issuerForm.taken}`, fix)
    : unseen('issuer form', `${beyond}: ${name} does not take it; whether this STS does cannot be seen from here`);
}

const PARTS: Readonly<Record<IssuerPart, (issuer: string) => boolean>> = {
  http: (issuer) => /^http:/i.test(issuer),
  // URL has no port where it is the scheme's own, and AWS minds that, too.
  'a port': (issuer) => /^https?:\/\/(?:\[[^\]]*\]|[^/:]*):/i.test(issuer),
};
