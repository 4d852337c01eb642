// What a provider and its bindings say of the token, in Google's words, and what of Google cannot be seen from here. Pure.
import type { ClauseTrace } from '../../../../base/core/decision.ts';
import type { Claims } from '../../../../base/core/json.ts';
import { MAX_SHORT_SUBJECT_BYTES } from '../../../../base/core/limits.ts';
import type { RoleExplanation } from '../../../../policy/explain.ts';
import { type Finding, holds, unseen, wrong } from '../finding.ts';
import { audienceFinding, decisiveClause, policyFinding } from '../trust-findings.ts';
import type { GcpDescription } from './gcp-document.ts';

/** Every check that needs the documents; `role` is of a provider and was explained for the token. */
export const gcpTrustFindings = (
  role: RoleExplanation,
  o: { readonly claims: Claims; readonly description: GcpDescription },
): readonly Finding[] => [
  audienceFinding(role, o.claims, 'the provider'),
  ...mappedSubjectFindings(role),
  policyFinding(role, fixOf(role)),
  ...bindingFindings(role, o.description),
  unseen('permissions', 'what this identity or its service account may do', 'gcloud projects get-iam-policy PROJECT'),
];

/** Google takes 127 bytes; a Jobpass issuer's `sub127` never has more. */
function mappedSubjectFindings(role: RoleExplanation): readonly Finding[] {
  const clause = decisiveClause(role, 'google.subject');
  if (clause === undefined || clause.outcome === 'not_reached') return [];
  const { presented, problem = '' } = clause;
  const bytes = typeof presented === 'string' ? Buffer.byteLength(presented) : undefined;
  const size = bytes === undefined ? '' : ` (${bytes} of ${MAX_SHORT_SUBJECT_BYTES} bytes)`;
  if (clause.outcome === 'held') return [holds('google.subject', `${String(presented)}${size}`)];
  const isLong = bytes !== undefined && bytes > MAX_SHORT_SUBJECT_BYTES;
  const fix = isLong
    ? 'map google.subject to assertion.sub127, which is as short as it must be'
    : 'map google.subject to a claim that every token has: assertion.sub';
  return [wrong('google.subject', `${problem}${size}`, fix)];
}

/** Of a binding that nobody stands in, what would let this identity in. */
function fixOf({ firstFailure }: RoleExplanation): string | undefined {
  const clause = firstFailure?.clause;
  const [name] = clause?.subject === 'bindings' ? namesOf(clause) : [];
  return name === undefined ? undefined : `bind ${name}, or one of its attributes`;
}

/** Which binding the token hits. One that it misses is the trust policy's finding. */
function bindingFindings(role: RoleExplanation, { hasBindings }: GcpDescription): readonly Finding[] {
  const clause = decisiveClause(role, 'bindings');
  const names = clause === undefined ? [] : namesOf(clause);
  if (!hasBindings) {
    const who = names[0] === undefined ? '' : `; to them it is ${names[0]}`;
    const look = 'gcloud iam service-accounts get-iam-policy EMAIL --format=json, and put it beside the provider';
    return [unseen('binding', `the file has none, and without one nothing lets an identity act${who}`, look)];
  }
  if (clause?.outcome !== 'held') return [];
  const everyone = (names[0] ?? '').replace(/^principal:(.*?)\/subject\/.*$/s, 'principalSet:$1/*');
  const hits = clause.wanted.filter((member) => member === everyone || names.includes(member));
  return [holds('binding', hits.join(' and '))];
}

/** The identity's names in bindings, its subject first. */
function namesOf({ presented }: ClauseTrace): readonly string[] {
  const names = Array.isArray(presented) ? presented : [presented];
  return names.filter((name) => typeof name === 'string');
}
