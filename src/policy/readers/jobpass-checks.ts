// What a role file must hold beyond its schema: patterns, actions, resources, and the ceiling of its tenant. It builds nothing.
import { parseDuration } from '../../base/core/duration.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/core/json.ts';
import { MAX_POLICY_CLAUSES } from '../../base/core/limits.ts';
import { parseAwsRoleArn } from '../../base/credential/aws-arn.ts';
import { parseGcpProvider } from '../../base/credential/gcp-names.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import { entriesAt, textAt, valueAt } from '../../base/document/value-at.ts';
import { type CeilingAsk, ceilingProblem } from '../ceiling.ts';
import { compilePermissionConditions } from '../iam/permission-conditions.ts';
import { actionProblem, resourceProblem } from '../iam/statements.ts';
import { countWildcards, isWildcardOnly } from '../pattern.ts';
import type { Ceiling } from '../role.ts';
import { countLeaves } from './cloud-policies.ts';
import type { CompiledEntries } from './jobpass-trust.ts';
import type { RolePool } from './role-pool.ts';

/** What the checks are made against. */
export interface RoleCheck {
  readonly source: { readonly tenant: string; readonly file: string };
  /** Null where nothing is granted. */
  readonly ceiling: Ceiling | null;
  readonly pool: RolePool;
  readonly compiled: CompiledEntries;
  readonly report: Report;
}

/**
 * Reports what no schema can say. It meets files that the schema refused, and then looks only at what has its form: what has a
 * problem already is not held against the ceiling as well.
 */
export function checkRole(value: JsonValue, check: RoleCheck): void {
  const { source, ceiling, report } = check;
  const name = textAt(value, ['role']);
  const wanted = baseName(source.file);
  if (name !== undefined && name !== wanted) report(['role'], `wanted ${wanted}, as the file is called`);
  if (ceiling !== null && ceiling.tenant !== source.tenant) report([], `tenant ${source.tenant} has no ceiling`);
  if (countClauses(value) > MAX_POLICY_CLAUSES) report([], `holds more than ${MAX_POLICY_CLAUSES} clauses`);
  if (countClaimWildcards(value, check) > MAX_POLICY_CLAUSES) {
    report(['trust'], `wanted at most ${MAX_POLICY_CLAUSES} wildcards in all claims together`);
  }
  entriesAt(value, ['trust']).forEach((_, index) => {
    checkEntry(value, index, check);
  });
  askText(value, ['session', 'gateway'], 'gateway', check);
  const seconds = parseDuration(textAt(value, ['session', 'max_duration']) ?? '');
  if (seconds !== undefined) ask(['session', 'max_duration'], { kind: 'duration', value: seconds }, check);
  checkCloudNames(value, check);
  entriesAt(value, ['permissions']).forEach((_, index) => {
    checkStatement(value, ['permissions', index], check);
  });
}

/** What clients of the clouds call the role lies in an account or a project of the tenant. */
function checkCloudNames(value: JsonValue, check: RoleCheck): void {
  const account = parseAwsRoleArn(textAt(value, ['aws', 'role_arn']) ?? '')?.account;
  if (account !== undefined) ask(['aws', 'role_arn'], { kind: 'account', value: account }, check);
  const project = parseGcpProvider(textAt(value, ['gcp', 'provider']) ?? '')?.project;
  if (project !== undefined) ask(['gcp', 'provider'], { kind: 'project', value: project }, check);
}

function checkEntry(value: JsonValue, index: number, check: RoleCheck): void {
  const path = ['trust', index];
  askText(value, [...path, 'issuer'], 'issuer', check);
  checkClaims(value, [...path, 'claims'], check);
  const issuers = check.compiled.entries[index]?.trust?.issuers;
  if (issuers === undefined) return;
  // The one member of the entry is the cloud's document.
  const place = [...path, ...Object.keys(objectAt(value, path)).slice(0, 1)];
  for (const issuer of issuers) ask(place, { kind: 'issuer', value: issuer }, check);
}

/** Every wanted value is a pattern. Each is compiled once; building the role finds it in the pool. */
function checkClaims(value: JsonValue, path: DocumentPath, check: RoleCheck): void {
  for (const [claim, wanted] of Object.entries(objectAt(value, path))) {
    const place = [...path, claim];
    if (typeof wanted === 'string') checkPattern(wanted, place, check);
    if (!Array.isArray(wanted)) continue;
    wanted.forEach((text, index) => {
      if (typeof text === 'string') checkPattern(text, [...place, index], check);
    });
  }
}

function checkPattern(text: string, place: DocumentPath, { pool, report }: RoleCheck): void {
  const pattern = pool.pattern(text);
  if (!pattern.ok) report(place, pattern.error);
  // `sub: "*"` reads like a condition and is none.
  else if (place[3] === 'sub' && isWildcardOnly(pattern.value)) {
    report(place, 'wanted more than wildcards: this names nobody', 'name the owner and the pipeline');
  }
}

/** In the claims of all entries together: what it costs to decide by the role grows with them. */
function countClaimWildcards(value: JsonValue, { pool }: RoleCheck): number {
  const texts = entriesAt(value, ['trust']).flatMap((_, index) =>
    Object.values(objectAt(value, ['trust', index, 'claims'])).flat(),
  );
  return texts.reduce<number>((count, text) => {
    const pattern = typeof text === 'string' && text.includes('*') ? pool.pattern(text) : undefined;
    return pattern?.ok ? count + countWildcards(pattern.value) : count;
  }, 0);
}

/** Each statement's actions and resources by themselves, and those of allow statements against the ceiling. */
function checkStatement(value: JsonValue, path: DocumentPath, check: RoleCheck): void {
  const at = [...path, 'conditions'];
  const conditions = valueAt(value, at);
  if (isJsonObject(conditions)) compilePermissionConditions(conditions, { report: check.report, at, line: 0 });
  const isAllow = textAt(value, [...path, 'effect']) !== 'deny';
  for (const kind of ['action', 'resource'] as const) {
    const place = [...path, `${kind}s`];
    entriesAt(value, place).forEach((text, index) => {
      if (typeof text !== 'string') return;
      const problem = kind === 'action' ? actionProblem(text) : resourceProblem(text);
      if (problem !== undefined) check.report([...place, index], problem);
      else if (isAllow) ask([...place, index], { kind, value: text }, check);
    });
  }
}

function ask(path: DocumentPath, asked: CeilingAsk, { ceiling, pool, report }: RoleCheck): void {
  const problem = ceiling === null ? undefined : ceilingProblem(ceiling, asked, pool.glob);
  if (problem !== undefined) report(path, problem.message, problem.hint);
}

function askText(value: JsonValue, path: DocumentPath, kind: 'issuer' | 'gateway', check: RoleCheck): void {
  const text = textAt(value, path);
  if (text !== undefined && text !== '') ask(path, { kind, value: text }, check);
}

/** Every value that is compared counts: each wanted value of a claim or in a cloud's document, each action, each resource. */
function countClauses(value: JsonValue): number {
  const counted = (part: JsonValue | undefined): number =>
    Array.isArray(part) ? part.length : part === undefined ? 0 : 1;
  let count = 0;
  entriesAt(value, ['trust']).forEach((_, index) => {
    count += countLeaves({ ...objectAt(value, ['trust', index]), issuer: [] });
  });
  entriesAt(value, ['permissions']).forEach((_, index) => {
    count +=
      counted(valueAt(value, ['permissions', index, 'actions'])) +
      counted(valueAt(value, ['permissions', index, 'resources'])) +
      countLeaves(valueAt(value, ['permissions', index, 'conditions']));
  });
  return count;
}

function objectAt(value: JsonValue, path: DocumentPath): JsonObject {
  const part = valueAt(value, path);
  return isJsonObject(part) ? part : {};
}

const baseName = (file: string): string => (file.split('/').at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, '');
