// The condition keys of AWS trust policies: which exist, which this server can answer, and their values for a token.
import type { Claims, JsonValue } from '../../base/core/json.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { nearestName } from '../../base/document/nearest-name.ts';
import type { ConditionContext } from '../iam/context.ts';
import { asciiLower } from '../iam/template.ts';
import { SOURCE_IDENTITY_CLAIM, TAGS_CLAIM } from './aws-session.ts';
import type { SessionAttributes, TokenView } from './trust.ts';

/** Keys whose values `contextOf` knows. Those that end with a slash are families, one key per tag. */
const ANSWERED = [
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:FederatedProvider',
  'aws:PrincipalTag/',
  'aws:RequestTag/',
  'aws:SourceIp',
  'aws:TagKeys',
  'sts:RoleSessionName',
  'sts:SourceIdentity',
  'sts:TransitiveTagKeys',
] as const;

/** Keys of AWS whose values only AWS knows: known names, unknown values. */
const ONLY_AT_AWS = `aws:AssumedRoot aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn
  aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:MultiFactorAuthAge aws:MultiFactorAuthPresent
  aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgPaths
  aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:PrincipalType aws:Referer aws:RequestedRegion
  aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths aws:ResourceTag/ aws:SecureTransport aws:SignInSessionArn
  aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceOrgID aws:SourceOrgPaths aws:SourceVpc aws:SourceVpcArn
  aws:SourceVpce aws:TokenIssueTime aws:UserAgent aws:UserId aws:Username aws:ViaAWSService aws:VpcSourceIp
  aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths sts:AWSServiceName sts:DurationSeconds sts:ExternalId
  sts:RequestContext/ sts:RequestContextProviders sts:TaskPolicyArn`.split(/\s+/);

/** Tells whether a key in lower case is one of the names. */
function namesIn(names: readonly string[]): (key: string) => boolean {
  const exact = new Set(names.map(asciiLower));
  const families = [...exact].filter((name) => name.endsWith('/'));
  return (key) => exact.has(key) || families.some((family) => key.startsWith(family) && key.length > family.length);
}

const isAnswered = namesIn(ANSWERED);

/** Whether only AWS could know the value of this key (in lower case). */
export const isOnlyAtAws = namesIn(ONLY_AT_AWS);

/** `host/path:claim`, with a port where a test server has one. */
const PROVIDER_KEY = /^(?:\[[0-9a-f:]+\]|localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::[0-9]+)?(?:\/[^\s:]*)?:[^\s]+$/;

/**
 * What is wrong with a condition key, for its author; undefined when AWS knows it. A key of another provider than the
 * statement's is known: it is just never there.
 */
export function trustKeyProblem(key: string): string | undefined {
  const lower = asciiLower(key);
  if (isAnswered(lower) || isOnlyAtAws(lower)) return undefined;
  if (!/^(?:aws|sts):/.test(lower) && PROVIDER_KEY.test(lower)) return undefined;
  const nearest = nearestName(key, [...ANSWERED, ...ONLY_AT_AWS]);
  return `unknown condition key${nearest === undefined ? '; wanted <provider>:<claim>, aws:… or sts:…' : `; the nearest known one is ${nearest}`}`;
}

/** `https://ci.example.com/a` is named `ci.example.com/a`: scheme dropped, path and trailing slash kept. */
export const providerOf = (issuer: string): string => issuer.replace(/^https?:\/\//, '');

/**
 * What a token's request looks like to the conditions of a statement. `provider` is the principal that let it in, if one did.
 * Nothing is worked out before a condition asks for it.
 */
export function contextOf(
  token: TokenView,
  session: SessionAttributes,
  provider: string | undefined,
): ConditionContext {
  const prefix = `${asciiLower(providerOf(token.issuer))}:`;
  const names = Object.keys(token.claims);
  const claimIn = (key: string): string | undefined => (key.startsWith(prefix) ? key.slice(prefix.length) : undefined);
  const get = (key: string): JsonValue | undefined => {
    const claim = claimIn(key);
    return claim === undefined
      ? requestValue(key, { token, session, provider })
      : claimValue(token.claims, names, claim);
  };
  return {
    values: { get },
    whyUnknown: (key) => {
      const claim = claimIn(key);
      if (claim !== undefined) {
        return spellingsOf(names, claim).several ? 'the token carries this claim in two spellings' : undefined;
      }
      if (isOnlyAtAws(key)) return 'only AWS knows the value of this key';
      return ALWAYS_AT_AWS.has(key) && get(key) === undefined
        ? 'AWS always has this key; here its value is not known'
        : undefined;
    },
  };
}

/** Keys that every request to AWS has. */
const ALWAYS_AT_AWS: ReadonlySet<string> = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:federatedprovider',
  'aws:sourceip',
  'sts:rolesessionname',
]);

/** The token's own names of a claim in lower case: the first of them, and whether there is another. */
function spellingsOf(
  names: readonly string[],
  claim: string,
): { readonly name: string | undefined; readonly several: boolean } {
  let found: string | undefined;
  for (const name of names) {
    if (name.length !== claim.length || (name !== claim && asciiLower(name) !== claim)) continue;
    if (found !== undefined) return { name: found, several: true };
    found = name;
  }
  return { name: found, several: false };
}

/** Every claim is exposed: an extension over AWS, which exposes few. `azp` takes the place of `aud`, as there. */
function claimValue(claims: Claims, names: readonly string[], claim: string): JsonValue | undefined {
  const hasAzp = Object.hasOwn(claims, 'azp');
  // `oaud` is AWS's own: no claim of the token can be it.
  if (claim === 'oaud') return hasAzp ? claims.aud : undefined;
  if (claim === 'aud' && hasAzp) return claims.azp;
  // Tags have keys of their own; `8443:sub` would read as the `sub` of another port's provider.
  if (claim.startsWith(TAGS_CLAIM) || claim === SOURCE_IDENTITY_CLAIM || /^[0-9]+[:/]/.test(claim)) return undefined;
  const { name } = spellingsOf(names, claim);
  return name === undefined ? undefined : claims[name];
}

interface Asked {
  readonly token: TokenView;
  readonly session: SessionAttributes;
  readonly provider: string | undefined;
}

function requestValue(key: string, { token, session, provider }: Asked): JsonValue | undefined {
  switch (key) {
    case 'aws:currenttime':
    case 'aws:epochtime':
      return timeValue(key, token.now);
    case 'aws:federatedprovider':
      return provider;
    case 'aws:sourceip':
      return token.sourceAddress;
    case 'aws:tagkeys':
      return Object.keys(session.tags);
    case 'sts:rolesessionname':
      return token.sessionName;
    case 'sts:sourceidentity':
      return session.sourceIdentity ?? undefined;
    case 'sts:transitivetagkeys':
      return session.transitiveTagKeys;
    default:
      return tagValue(key, session.tags);
  }
}

/** The last moment a Date can hold, in seconds (ECMA-262 §21.4.1.1). */
const MAX_DATE_SECONDS = 8.64e12;

function timeValue(key: string, now: EpochSeconds): JsonValue | undefined {
  if (!(Math.abs(now) <= MAX_DATE_SECONDS)) return undefined;
  return key === 'aws:epochtime' ? Math.floor(now) : new Date(now * 1000).toISOString();
}

const TAG_KEY = /^aws:(?:requesttag|principaltag)\/(.+)$/s;

/** Keys of tags differ by more than case: a token with two that do not is refused. */
function tagValue(key: string, tags: SessionAttributes['tags']): string | undefined {
  const wanted = TAG_KEY.exec(key)?.[1];
  const name = wanted === undefined ? undefined : Object.keys(tags).find((tag) => asciiLower(tag) === wanted);
  return name === undefined ? undefined : tags[name];
}
