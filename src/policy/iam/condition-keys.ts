// The names of the condition keys of permission statements. Their values are permission-conditions.ts's business.
import { nearestName } from '../../base/document/nearest-name.ts';
import { asciiLower, isClaimName } from './template.ts';

/** Claims of the session; what follows keeps its case. */
export const CLAIM_PREFIX = 'claims.';
/** Parameters of the query, and session tags; in lower case. */
export const QUERY_PREFIX = 'http:query/';
export const TAG_PREFIX = 'aws:principaltag/';

const TIME = ['aws:CurrentTime', 'aws:EpochTime'];
/** Who the session is for: in IAM the first is asked of a request, the second of the one that made the session. */
const SOURCE_IDENTITY = ['aws:SourceIdentity', 'sts:SourceIdentity'];
/** Known to the gateways that serve S3's protocol. */
const REQUEST =
  `aws:PrincipalArn aws:SecureTransport aws:userid s3:authType s3:delimiter s3:max-keys s3:prefix s3:signatureAge
  s3:signatureversion`.split(/\s+/);
const SINGLE = ['aws:SourceIp', ...TIME, ...SOURCE_IDENTITY, ...REQUEST];

const lowerSet = (names: readonly string[]): ReadonlySet<string> => new Set(names.map(asciiLower));

/** In ASCII lower case, as contexts have them; so are those below. */
export const TIME_KEYS = lowerSet(TIME);
export const SOURCE_IDENTITY_KEYS = lowerSet(SOURCE_IDENTITY);
/** Keys whose values only the gateway in front of the resource can tell. */
export const REQUEST_KEYS = lowerSet(REQUEST);
const SINGLE_KEYS = lowerSet(SINGLE);

/** What is wrong with a condition key of a permission, for its author; undefined when nothing is. */
export function keyProblem(key: string): string | undefined {
  if (key.startsWith(CLAIM_PREFIX))
    return isClaimName(key.slice(CLAIM_PREFIX.length)) ? undefined : 'wanted claims.NAME';
  const lower = asciiLower(key);
  const isFamily = [QUERY_PREFIX, TAG_PREFIX].some(
    (prefix) => lower.startsWith(prefix) && lower.length > prefix.length,
  );
  if (isFamily || SINGLE_KEYS.has(lower)) return undefined;
  const nearest = nearestName(key, SINGLE);
  return `unknown condition key; ${nearest === undefined ? `wanted http:Query/NAME, claims.NAME, aws:PrincipalTag/KEY, ${SINGLE.join(', ')}` : `the nearest known one is ${nearest}`}`;
}
