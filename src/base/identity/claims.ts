// The identity claims of a job's token, made from its facts and nothing else. What the job itself says never gets here.
import { JobpassError } from '../core/errors.ts';
import type { Claims, JsonValue } from '../core/json.ts';
import type { EpochSeconds } from '../core/time.ts';
import type { JobFacts } from './facts.ts';
import {
  AWS_TAGS_CLAIM,
  type FactName,
  isReservedClaim,
  PROFILES,
  type ProfileName,
  SHORT_SUBJECT_CLAIM,
} from './profile.ts';
import { shortSubject, subjectOf } from './subject.ts';
import { type FactValues, factValues } from './values.ts';

type StringClaims = ReadonlyMap<string, string>;

function publish(values: FactValues, profile: ProfileName): [string, string][] {
  const entries: [string, string][] = [];
  for (const [fact, claim] of Object.entries(PROFILES[profile].claims) as [FactName, string][]) {
    const value = values[fact];
    if (value !== undefined) entries.push([claim, value]);
  }
  return entries;
}

/** The asked tags whose claim is in the token; a name that is no string claim of it gives no tag. */
function awsTags(names: readonly string[], claims: StringClaims): [string, JsonValue][] {
  const tags: [string, JsonValue][] = [];
  for (const name of new Set(names)) {
    const value = claims.get(name);
    if (value !== undefined) tags.push([name, [value]]);
  }
  return tags.length === 0 ? [] : [[AWS_TAGS_CLAIM, { principal_tags: Object.fromEntries(tags) }]];
}

/**
 * The claims of one job under a profile: `sub`, `sub127`, every fact that is there, the controller's extra claims and
 * `https://aws.amazon.com/tags`; all strings but the last. `iss`, `aud`, `exp`, `iat`, `nbf` and `jti` are the
 * caller's. `deadline` in seconds since 1970.
 * Precondition, held by the issuer when it takes the job: subjectOf(facts) is ok and no extra claim is reserved.
 * Otherwise it throws ERR_FACTS_UNCHECKED and nothing is issued.
 */
export function identityClaims(
  facts: JobFacts,
  options: { readonly profile: ProfileName; readonly jobId: string; readonly deadline: EpochSeconds },
): Claims {
  const subject = subjectOf(facts, options.profile);
  if (!subject.ok) {
    throw new JobpassError('ERR_FACTS_UNCHECKED', `no subject can be made: ${subject.error.detail}`);
  }
  const reserved = Object.keys(facts.extra).find(isReservedClaim);
  if (reserved !== undefined) {
    throw new JobpassError('ERR_FACTS_UNCHECKED', `the extra claim ${JSON.stringify(reserved)} is reserved`);
  }
  const values: FactValues = {
    ...factValues(facts),
    job_id: options.jobId,
    job_deadline: String(options.deadline),
  };
  const claims: StringClaims = new Map([
    ['sub', subject.value],
    [SHORT_SUBJECT_CLAIM, shortSubject(subject.value, facts)],
    ...publish(values, options.profile),
    ...Object.entries(facts.extra),
  ]);
  return Object.fromEntries([...claims, ...awsTags(facts.awsSessionTags, claims)]);
}
