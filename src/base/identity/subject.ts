// `sub`: made of names and immutable ids, without a per-run part, and injective over owner, pipeline and context.
import { createHash } from 'node:crypto';
import { MAX_SHORT_SUBJECT_BYTES, MAX_SUBJECT_CHARS } from '../core/limits.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { JobFacts } from './facts.ts';
import { type FactName, FORK_PREFIX, LOCAL_PREFIX, PROFILES, type Profile, type ProfileName } from './profile.ts';
import { type FactValues, factValues } from './values.ts';

/** What separates parts or is a wildcard somewhere, and everything that is not printable ASCII. */
const UNSAFE = /[%:@*]|[^\x20-\x7e]/gu;

const percentBytes = (character: string): string => {
  let encoded = '';
  for (const byte of Buffer.from(character, 'utf8')) {
    encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
};

/**
 * One part of a subject: `%`, `:`, `@`, `*`, controls and non-ASCII become `%XX` of their UTF-8 bytes; `/` stays.
 * Injective, and the result holds none of the separators. Precondition: no lone surrogate (subjectOf refuses them).
 */
export const encodePart = (value: string): string => value.replace(UNSAFE, percentBytes);

const kindPrefix = (facts: JobFacts): string => (facts.local ? LOCAL_PREFIX : '') + (facts.fork ? FORK_PREFIX : '');

function contextForm(profile: Profile, values: FactValues): string | undefined {
  for (const context of profile.contexts) {
    const value = values[context.fact];
    if (value !== undefined && (context.equals === undefined || context.equals === value)) return context.form;
  }
  return undefined;
}

/** Fills `{fact}`; the error names the fact whose value cannot stand in a subject. */
function fill(form: string, profile: Profile, values: FactValues): Result<string, string> {
  let unusable: string | undefined;
  const text = form.replace(/\{([a-z_]+)\}/g, (_, name: FactName) => {
    const value = values[name];
    if (value === undefined || value === '' || !value.isWellFormed()) {
      unusable ??= name;
      return '';
    }
    const encoded = encodePart(value);
    return profile.slashEncoded.includes(name) ? encoded.replaceAll('/', '%2F') : encoded;
  });
  return unusable === undefined ? ok(text) : err(unusable);
}

/**
 * The subject of a job under a profile (design, section 6): ASCII, at most 255 characters, injective over (owner,
 * pipeline, context). Precedence fork > environment > ref, with `local:` before any of them; a fork's subject begins
 * with `fork:` or `local:fork:`, so no prefix of the pipeline's own subjects matches it.
 * Errors: `subject_too_long`; `facts_invalid` for an empty part or a lone surrogate.
 */
export function subjectOf(facts: JobFacts, profileName: ProfileName): Result<string, Failure> {
  const profile = PROFILES[profileName];
  const values = factValues(facts);
  const context = contextForm(profile, values);
  if (context === undefined) return err(failure('facts_invalid', 'the job has neither environment nor ref'));
  const filled = fill(`${profile.principal}:${context}`, profile, values);
  if (!filled.ok) return err(failure('facts_invalid', `${filled.error} is empty or not well-formed Unicode`));
  const subject = kindPrefix(facts) + filled.value;
  if (subject.length > MAX_SUBJECT_CHARS) {
    return err(
      failure('subject_too_long', `the subject has ${subject.length} characters, at most ${MAX_SUBJECT_CHARS}`),
    );
  }
  return ok(subject);
}

/**
 * The subject in at most 127 bytes, for Google Cloud's `google.subject`: `subject` itself when it fits, else its
 * prefixes, as many of the ids as fit, and the SHA-256 of the whole. Injective as far as SHA-256 is; the long form
 * never equals another job's short one, because subjects begin with `owner:` or `repo:` and this with `owner_id:` or
 * `sha256:`. Precondition: `subject` is subjectOf(facts).
 */
export function shortSubject(subject: string, facts: JobFacts): string {
  if (Buffer.byteLength(subject) <= MAX_SHORT_SUBJECT_BYTES) return subject;
  const hash = `sha256:${createHash('sha256').update(subject).digest('base64url')}`;
  const owner = `owner_id:${encodePart(facts.owner.id)}:`;
  const pipeline = `pipeline_id:${encodePart(facts.pipeline.id)}:`;
  const prefix = kindPrefix(facts);
  const candidates = [`${prefix}${owner}${pipeline}${hash}`, `${prefix}${owner}${hash}`];
  return candidates.find((candidate) => candidate.length <= MAX_SHORT_SUBJECT_BYTES) ?? prefix + hash;
}
