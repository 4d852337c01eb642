// What a role file must hold beyond its schema: patterns, actions, resources, and the ceiling of its tenant. It builds nothing.
import { parseDuration } from '../../base/core/duration.ts';
import { isJsonObject, type JsonObject, type JsonValue, ownMember, stringMember } from '../../base/core/json.ts';
import { MAX_POLICY_CLAUSES } from '../../base/core/limits.ts';
import type { Result } from '../../base/core/result.ts';
import { parseAwsRoleArn } from '../../base/credential/aws-arn.ts';
import { parseAzureTenant } from '../../base/credential/azure-names.ts';
import { parseGcpProvider } from '../../base/credential/gcp-names.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import { type CeilingAsk, ceilingProblem } from '../ceiling.ts';
import { compilePermissionConditions } from '../iam/permission-conditions.ts';
import type { Template } from '../iam/template.ts';
import { countWildcards } from '../pattern.ts';
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
  const role = objectOr(value);
  const trust = listOr(ownMember(role, 'trust'));
  const permissions = listOr(ownMember(role, 'permissions'));
  const name = stringMember(role, 'role');
  const wanted = baseName(source.file);
  if (name !== undefined && name !== wanted) report(['role'], `wanted ${wanted}, as the file is called`);
  if (ceiling !== null && ceiling.tenant !== source.tenant) report([], `tenant ${source.tenant} has no ceiling`);
  if (countClauses(trust, permissions) > MAX_POLICY_CLAUSES)
    report([], `holds more than ${MAX_POLICY_CLAUSES} clauses`);
  if (countClaimWildcards(check.compiled) > MAX_POLICY_CLAUSES) {
    report(['trust'], `wanted at most ${MAX_POLICY_CLAUSES} wildcards in all claims together`);
  }
  const checking = { ...check, ask: askerOf(check) };
  trust.forEach((entry, index) => {
    checkEntry(objectOr(entry), index, checking);
  });
  checkSession(objectOr(ownMember(role, 'session')), checking);
  checkCloudNames(role, checking.ask);
  permissions.forEach((statement, index) => {
    checkStatement(objectOr(statement), index, checking);
  });
}

/** Reports what lies beyond the ceiling, at the place where it is asked for. */
type Ask = (path: DocumentPath, asked: CeilingAsk) => void;

interface Checking extends RoleCheck {
  readonly ask: Ask;
}

function askerOf({ ceiling, pool, report }: RoleCheck): Ask {
  if (ceiling === null) return () => {};
  const compiled = pool.ceiling(ceiling);
  return (path, asked) => {
    const problem = ceilingProblem(compiled, asked);
    if (problem !== undefined) report(path, problem.message, problem.hint);
  };
}

/** What clients of the clouds call the role lies in an account, a project or an Azure tenant of the tenant. */
function checkCloudNames(role: JsonObject, ask: Ask): void {
  const aws = stringMember(objectOr(ownMember(role, 'aws')), 'role_arn') ?? '';
  const account = parseAwsRoleArn(aws)?.account;
  if (account !== undefined) ask(['aws', 'role_arn'], { kind: 'account', value: account });
  const gcp = stringMember(objectOr(ownMember(role, 'gcp')), 'provider') ?? '';
  const project = parseGcpProvider(gcp)?.project;
  if (project !== undefined) ask(['gcp', 'provider'], { kind: 'project', value: project });
  const azure = stringMember(objectOr(ownMember(role, 'azure')), 'tenant') ?? '';
  const azureTenant = parseAzureTenant(azure);
  if (azureTenant !== undefined) ask(['azure', 'tenant'], { kind: 'azure_tenant', value: azureTenant });
}

function checkEntry(entry: JsonObject, index: number, check: Checking): void {
  const issuer = stringMember(entry, 'issuer') ?? '';
  if (issuer !== '') check.ask(['trust', index, 'issuer'], { kind: 'issuer', value: issuer });
  const issuers = check.compiled.entries[index]?.trust?.issuers;
  if (issuers === undefined) return;
  // The one member of the entry is the cloud's document.
  const place = ['trust', index, ...Object.keys(entry).slice(0, 1)];
  for (const value of issuers) check.ask(place, { kind: 'issuer', value });
}

/** In the claims of all entries together: what it costs to decide by the role grows with them. */
function countClaimWildcards({ entries }: CompiledEntries): number {
  let count = 0;
  for (const { clauses } of entries) {
    for (const { wanted } of clauses) for (const pattern of wanted) count += countWildcards(pattern);
  }
  return count;
}

function checkSession(session: JsonObject, { ask }: Checking): void {
  const gateway = stringMember(session, 'gateway') ?? '';
  if (gateway !== '') ask(['session', 'gateway'], { kind: 'gateway', value: gateway });
  const seconds = parseDuration(stringMember(session, 'max_duration') ?? '');
  if (seconds !== undefined) ask(['session', 'max_duration'], { kind: 'duration', value: seconds });
}

/** Each statement's actions and resources by themselves, and those of allow statements against the ceiling. */
function checkStatement(statement: JsonObject, at: number, { pool, report, ask }: Checking): void {
  const conditions = ownMember(statement, 'conditions');
  if (isJsonObject(conditions)) {
    compilePermissionConditions(conditions, { report, at: ['permissions', at, 'conditions'], line: 0 });
  }
  const isAllow = stringMember(statement, 'effect') !== 'deny';
  const checkList = (kind: 'action' | 'resource', parse: (text: string) => Result<Template, string>): void => {
    listOr(ownMember(statement, `${kind}s`)).forEach((text, index) => {
      if (typeof text !== 'string') return;
      const pattern = parse(text);
      const place = ['permissions', at, `${kind}s`, index];
      if (!pattern.ok) report(place, pattern.error);
      else if (isAllow) ask(place, { kind, pattern: pattern.value });
    });
  };
  checkList('action', pool.action);
  checkList('resource', pool.resource);
}

/** Every value that is compared counts: each wanted value of a claim or in a cloud's document, each action, each resource. */
function countClauses(trust: readonly JsonValue[], permissions: readonly JsonValue[]): number {
  const counted = (part: JsonValue | undefined): number =>
    Array.isArray(part) ? part.length : part === undefined ? 0 : 1;
  let count = 0;
  for (const entry of trust) {
    for (const [name, part] of Object.entries(objectOr(entry))) if (name !== 'issuer') count += countLeaves(part);
  }
  for (const part of permissions) {
    const statement = objectOr(part);
    count += counted(ownMember(statement, 'actions')) + counted(ownMember(statement, 'resources'));
    count += countLeaves(ownMember(statement, 'conditions'));
  }
  return count;
}

const objectOr = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : NO_MEMBERS);
const listOr = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
const NO_MEMBERS: JsonObject = {};

const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1).replace(/\.(?:ya?ml|json)$/, '');
