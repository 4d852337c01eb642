// What a token asks a session to be called and tagged: AWS's two claims (cloud-wire §1.5, §1.6). Whether it may is the policy's
// business.
import type { RuleTrace } from '../../base/core/decision.ts';
import { type Claims, isJsonObject, type JsonObject, type JsonValue, ownMember } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { asciiLower } from '../iam/template.ts';
import type { SessionAttributes } from './trust.ts';

export const TAGS_CLAIM = 'https://aws.amazon.com/tags';
export const SOURCE_IDENTITY_CLAIM = 'https://aws.amazon.com/source_identity';
const FLAT = `${TAGS_CLAIM}/`;
const FLAT_TAG = `${TAGS_CLAIM}/principal_tags/`;
const FLAT_TRANSITIVE = `${TAGS_CLAIM}/transitive_tag_keys`;

// AWS STS: tagKeyType, tagValueType, sourceIdentityType.
const MAX_TAGS = 50;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const SOURCE_IDENTITY = /^[A-Za-z0-9_+=,.@-]{2,64}$/;

/** What is wrong with a claim that asks for a session attribute. */
export interface AttributeProblem {
  readonly claim: string;
  readonly problem: string;
}

/** Why a token with such a claim is refused, as part of a trace. */
export const attributeRule = ({ claim, problem }: AttributeProblem, line: number): RuleTrace => ({
  effect: 'allow',
  line,
  held: false,
  clauses: [{ subject: claim, wanted: [], outcome: 'failed', problem, line }],
});

type Members = readonly (readonly [string, JsonValue])[];

/** The session attributes that the claims ask for, in both forms AWS takes; a malformed one is refused, never left out. */
export function readSessionAttributes(claims: Claims): Result<SessionAttributes, AttributeProblem> {
  const identity = ownMember(claims, SOURCE_IDENTITY_CLAIM);
  if (identity !== undefined && !(typeof identity === 'string' && isSourceIdentity(identity))) {
    return err({
      claim: SOURCE_IDENTITY_CLAIM,
      problem: 'wanted 2 to 64 of letters, digits and _+=,.@-, not beginning with aws:',
    });
  }
  const flat = Object.keys(claims).filter((name) => name.startsWith(FLAT));
  const nested = ownMember(claims, TAGS_CLAIM);
  if (nested !== undefined && flat.length > 0) return err({ claim: TAGS_CLAIM, problem: 'tags in both forms at once' });
  const read = nested === undefined ? readFlat(claims, flat) : readNested(nested);
  if (typeof read === 'string')
    return err({ claim: nested === undefined ? (flat[0] ?? TAGS_CLAIM) : TAGS_CLAIM, problem: read });
  const problem = tagsProblem(read);
  if (problem !== undefined) return err({ claim: TAGS_CLAIM, problem });
  return ok({
    tags: Object.fromEntries(read.tags),
    transitiveTagKeys: read.transitive,
    sourceIdentity: identity ?? null,
  });
}

const isSourceIdentity = (text: string): boolean => SOURCE_IDENTITY.test(text) && !asciiLower(text).startsWith('aws:');

interface Tags {
  readonly tags: readonly (readonly [string, string])[];
  readonly transitive: readonly string[];
}

/** `{"principal_tags": {"K": ["v"]}, "transitive_tag_keys": ["K"]}`: every value a list of one. */
function readNested(value: JsonValue): Tags | string {
  if (!isJsonObject(value)) return 'wanted principal_tags and transitive_tag_keys';
  const unknown = Object.keys(value).find((name) => name !== 'principal_tags' && name !== 'transitive_tag_keys');
  if (unknown !== undefined) return `unknown member ${unknown.slice(0, 64)}`;
  const listed = value.principal_tags ?? {};
  if (!isJsonObject(listed)) return 'wanted principal_tags by their keys';
  const tags: [string, string][] = [];
  for (const [key, values] of Object.entries(listed)) {
    const [only, ...others]: readonly JsonValue[] = Array.isArray(values) ? values : [];
    if (typeof only !== 'string' || others.length > 0) return 'wanted a list of one text as the value of each tag';
    tags.push([key, only]);
  }
  return withTransitive(tags, value.transitive_tag_keys);
}

/** `https://aws.amazon.com/tags/principal_tags/K: "v"`. */
function readFlat(claims: JsonObject, names: readonly string[]): Tags | string {
  const members: Members = names.map((name) => [name, claims[name] ?? null]);
  const tags: [string, string][] = [];
  for (const [name, value] of members) {
    if (name === FLAT_TRANSITIVE) continue;
    if (!name.startsWith(FLAT_TAG)) return 'unknown member of the tags';
    if (typeof value !== 'string') return 'wanted text as the value of each tag';
    tags.push([name.slice(FLAT_TAG.length), value]);
  }
  return withTransitive(tags, ownMember(claims, FLAT_TRANSITIVE));
}

function withTransitive(tags: Tags['tags'], keys: JsonValue | undefined): Tags | string {
  const listed: readonly JsonValue[] = keys === undefined ? [] : Array.isArray(keys) ? keys : [keys];
  const texts = listed.filter((key) => typeof key === 'string');
  return texts.length === listed.length ? { tags, transitive: texts } : 'wanted texts as transitive_tag_keys';
}

function tagsProblem({ tags, transitive }: Tags): string | undefined {
  if (tags.length > MAX_TAGS) return `more than ${MAX_TAGS} tags`;
  const keys = new Set<string>();
  for (const [key, value] of tags) {
    if (!TAG_KEY.test(key) || asciiLower(key).startsWith('aws:')) return 'the key of a tag is not one that AWS takes';
    if (!TAG_VALUE.test(value)) return 'the value of a tag is not one that AWS takes';
    // AWS tells keys apart without regard to case.
    const folded = key.toLowerCase();
    if (keys.has(folded)) return 'two tags whose keys differ only in case';
    keys.add(folded);
  }
  const exact = new Set(tags.map(([key]) => key));
  return transitive.every((key) => exact.has(key)) ? undefined : 'a transitive tag key without its tag';
}
