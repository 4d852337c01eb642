// Reads a policy file in Jobpass's own format into a role, or says everything that is wrong with it. It grants nothing.
import { createHash } from 'node:crypto';
import { parseDuration } from '../../base/core/duration.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { MAX_POLICY_BYTES, MAX_POLICY_CLAUSES } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { DocumentPath, Problem } from '../../base/document/problem.ts';
import { type ReadDocument, type Report, readDocument } from '../../base/document/read.ts';
import { entriesAt, textAt, valueAt } from '../../base/document/value-at.ts';
import { type CeilingAsk, ceilingProblem } from '../ceiling.ts';
import { actionProblem, resourceProblem } from '../iam/statements.ts';
import { isWildcardOnly, type Pattern } from '../pattern.ts';
import type { Ceiling, Clause, Role, TrustRule } from '../role.ts';
import { type RoleFile, roleSchema } from './jobpass-schema.ts';
import { RolePool } from './role-pool.ts';

/** A policy file as it was read: its tenant, its path below the policies folder, its decoded text. */
export interface PolicySource {
  readonly tenant: string;
  readonly file: string;
  readonly text: string;
}

/** How long a session lives when its role does not say (design, section 3), if the tenant's ceiling is not lower. */
const DEFAULT_DURATION_SECONDS = 20 * 60;

/**
 * Reads one role. The error lists every problem of the file: its form, its patterns, and whatever exceeds `ceiling`.
 * `pool` shares texts between the roles of one load. Precondition: `ceiling` is that of the file's tenant; null only where
 * nothing is granted by the role (tests of policies, without a server).
 */
export function readRole(
  source: PolicySource,
  ceiling: Ceiling | null,
  pool: RolePool = new RolePool(),
): Result<Role, readonly Problem[]> {
  const document = readDocument(source, roleSchema, {
    maxBytes: MAX_POLICY_BYTES,
    check: (value, report) => checkRole(value, { source, ceiling, pool, report }),
  });
  return document.ok ? ok(buildRole(document.value, { source, ceiling, pool })) : err(document.error);
}

interface Reading {
  readonly source: PolicySource;
  readonly ceiling: Ceiling | null;
  readonly pool: RolePool;
}

interface Check extends Reading {
  readonly report: Report;
}

/** The rules that the schema cannot say. It meets files that the schema refused, and then looks only at what has its form. */
function checkRole(value: JsonValue, check: Check): void {
  const name = textAt(value, ['role']);
  const wanted = baseName(check.source.file);
  if (name !== undefined && name !== wanted) check.report(['role'], `wanted ${wanted}, as the file is called`);
  if (check.ceiling !== null && check.ceiling.tenant !== check.source.tenant)
    check.report([], `tenant ${check.source.tenant} has no ceiling`);
  if (countClauses(value) > MAX_POLICY_CLAUSES) check.report([], `holds more than ${MAX_POLICY_CLAUSES} clauses`);
  entriesAt(value, ['trust']).forEach((_, index) => {
    checkSubject(value, ['trust', index, 'claims', 'sub'], check);
  });
  for (const [path, ask] of asksOf(value)) {
    const problem = check.ceiling === null ? undefined : ceilingProblem(check.ceiling, ask);
    if (problem !== undefined) check.report(path, problem.message, problem.hint);
  }
}

/** `sub: "*"` reads like a condition and is none. */
function checkSubject(value: JsonValue, path: DocumentPath, check: Check): void {
  const single = textAt(value, path);
  const several = entriesAt(value, path).map((_, index) => [...path, index]);
  for (const place of single === undefined ? several : [path]) {
    const pattern = check.pool.pattern(textAt(value, place) ?? '');
    if (pattern.ok && isWildcardOnly(pattern.value)) {
      check.report(place, 'wanted more than wildcards: this names nobody', 'name the owner and the pipeline');
    }
  }
}

/** What the file asks of its ceiling, each with its place. What the schema refuses is left out: it has its problem already. */
function asksOf(value: JsonValue): readonly (readonly [DocumentPath, CeilingAsk])[] {
  const asks: (readonly [DocumentPath, CeilingAsk])[] = [];
  const ask = (path: DocumentPath, kind: 'issuer' | 'gateway' | 'action' | 'resource'): void => {
    const text = textAt(value, path);
    if (text !== undefined && text !== '' && isAskable(kind, text)) asks.push([path, { kind, value: text }]);
  };
  entriesAt(value, ['trust']).forEach((_, index) => {
    ask(['trust', index, 'issuer'], 'issuer');
  });
  ask(['session', 'gateway'], 'gateway');
  const seconds = parseDuration(textAt(value, ['session', 'max_duration']) ?? '');
  if (seconds !== undefined) asks.push([['session', 'max_duration'], { kind: 'duration', value: seconds }]);
  entriesAt(value, ['permissions']).forEach((_, index) => {
    const path = ['permissions', index];
    if (textAt(value, [...path, 'effect']) === 'deny') return;
    entriesAt(value, [...path, 'actions']).forEach((_, at) => {
      ask([...path, 'actions', at], 'action');
    });
    entriesAt(value, [...path, 'resources']).forEach((_, at) => {
      ask([...path, 'resources', at], 'resource');
    });
  });
  return asks;
}

const isAskable = (kind: string, text: string): boolean =>
  (kind !== 'action' || actionProblem(text) === undefined) &&
  (kind !== 'resource' || resourceProblem(text) === undefined);

/** Every value that is compared counts: each wanted value of a claim, each action, each resource. */
function countClauses(value: JsonValue): number {
  const counted = (part: JsonValue | undefined): number =>
    Array.isArray(part) ? part.length : part === undefined ? 0 : 1;
  let count = 0;
  entriesAt(value, ['trust']).forEach((_, index) => {
    const claims = valueAt(value, ['trust', index, 'claims']);
    for (const wanted of isJsonObject(claims) ? Object.values(claims) : []) count += counted(wanted);
  });
  entriesAt(value, ['permissions']).forEach((_, index) => {
    count +=
      counted(valueAt(value, ['permissions', index, 'actions'])) +
      counted(valueAt(value, ['permissions', index, 'resources']));
  });
  return count;
}

const baseName = (file: string): string => (file.split('/').at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, '');

/** Precondition: schema and checks found nothing. */
function buildRole(document: ReadDocument<RoleFile>, reading: Reading): Role {
  const { source, ceiling, pool } = reading;
  const { role, trust, session, permissions } = document.value;
  const asked = parseDuration(session.max_duration ?? '');
  const lineOf = (path: DocumentPath): number => document.keyPositionOf(path).line;
  const shared = (texts: readonly string[]): readonly string[] => texts.map((text) => pool.text(text));
  return {
    ref: { tenant: pool.text(source.tenant), name: pool.text(role) },
    file: source.file,
    digest: createHash('sha256').update(source.text).digest('hex'),
    trust: trust.map((rule, index) => buildRule(rule, ['trust', index], { pool, lineOf })),
    session: {
      gateway: pool.text(session.gateway),
      maxDurationSeconds:
        asked ?? Math.min(DEFAULT_DURATION_SECONDS, ceiling?.maxDurationSeconds ?? DEFAULT_DURATION_SECONDS),
      singleUse: session.single_use ?? false,
    },
    permissions: permissions.map(({ effect, actions, resources }, index) => ({
      effect,
      actions: shared(actions),
      resources: shared(resources),
      line: lineOf(['permissions', index]),
    })),
  };
}

function buildRule(
  rule: RoleFile['trust'][number],
  path: DocumentPath,
  tools: { readonly pool: RolePool; readonly lineOf: (path: DocumentPath) => number },
): TrustRule {
  const clauses = Object.entries(rule.claims).map(
    ([claim, wanted]): Clause => ({
      claim: tools.pool.text(claim),
      wanted: (typeof wanted === 'string' ? [wanted] : wanted).map((text) => compiled(text, tools.pool)),
      line: tools.lineOf([...path, 'claims', claim]),
    }),
  );
  return { issuer: tools.pool.text(rule.issuer), clauses, line: tools.lineOf(path) };
}

function compiled(text: string, pool: RolePool): Pattern {
  const pattern = pool.pattern(text);
  // The schema compiled it before. A clause that cannot be compiled must never become a clause less.
  if (!pattern.ok) throw new JobpassError('ERR_POLICY_UNCHECKED', `a pattern was not checked: ${pattern.error}`);
  return pattern.value;
}
