// Google Cloud's STS, and services that speak like it, as the doctor knows them (cloud-wire §2.4).
import { formatDuration } from '../../../../base/core/duration.ts';
import { type Claims, type JsonValue, ownMember } from '../../../../base/core/json.ts';
import { MAX_SUBJECT_CHARS } from '../../../../base/core/limits.ts';
import { ISSUER_ALGORITHMS } from '../../../../base/jwt/algorithms.ts';
import { MAX_LIFETIME_SECONDS } from '../../../../policy/trust/gcp.ts';
import type { Cloud } from '../cloud.ts';
import { type Finding, holds, wrong } from '../finding.ts';
import { algorithmFinding, subjectFinding, timesFinding } from '../token-findings.ts';
import { gcpDescription } from './gcp-document.ts';
import { uploadedKeyFindings } from './gcp-keys.ts';
import { gcpTrustFindings } from './gcp-trust.ts';

const NAME = 'Google Cloud';
const ALGORITHMS: readonly string[] = ['RS256', 'ES256'];

/** The checks of Google Cloud. `document`: the file with the provider, for what it says besides its trust. */
export function gcpCloud(o: { readonly isItself: boolean; readonly document: JsonValue }): Cloud {
  const { isItself } = o;
  const description = gcpDescription(o.document);
  const { jwksJson } = description;
  const algorithms = isItself ? ALGORITHMS : ISSUER_ALGORITHMS;
  return {
    id: 'gcp',
    name: NAME,
    isItself,
    page: 'docs/integrations/gcp.md',
    document: 'the provider',
    issuerFix: 'iss and the provider’s issuerUri must be one text, to the last character',
    issuerForm: { refused: ['http'], taken: 'https alone' },
    algorithms,
    fetchesKeys: jwksJson === undefined,
    wantsThumbprints: false,
    tokenFindings: ({ claims, header }, now) => [
      algorithmFinding(header.alg, { name: NAME, isItself, algorithms: ALGORITHMS }),
      timesFinding(claims, now),
      ...lifetimeFindings(claims),
      // Longer ones are nowhere refused; google.subject has a bound of its own.
      subjectFinding(claims, { name: NAME, minChars: 1, maxChars: MAX_SUBJECT_CHARS }),
    ],
    trustFindings: (role, claims) => gcpTrustFindings(role, { claims, description }),
    keyFindings: async (published, token) =>
      jwksJson === undefined ? [] : uploadedKeyFindings(jwksJson, { token, published, cloud: { algorithms } }),
  };
}

/** Of a token that says when it began and ends: Google takes none that lives a day. */
function lifetimeFindings(claims: Claims): readonly Finding[] {
  const [issuedAt, expiresAt] = [ownMember(claims, 'iat'), ownMember(claims, 'exp')];
  if (typeof issuedAt !== 'number' || typeof expiresAt !== 'number') return [];
  const lives = formatDuration(expiresAt - issuedAt);
  return expiresAt - issuedAt < MAX_LIFETIME_SECONDS
    ? [holds('lifetime', lives)]
    : [wrong('lifetime', `${lives}; ${NAME} takes less than 24 h`, 'shorten issuer.id_tokens.lifetime')];
}
