// Reads a policy file in Jobpass's own format into a role, or says everything that is wrong with it. It grants nothing.
import { hash } from 'node:crypto';
import { parseDuration } from '../../base/core/duration.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { MAX_POLICY_BYTES } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseAzureGuid, parseAzureTenant } from '../../base/credential/azure-names.ts';
import type { DocumentPath, Problem } from '../../base/document/problem.ts';
import { documentReader, type ReadDocument } from '../../base/document/read.ts';
import type { Position } from '../../base/document/text.ts';
import { awsKey, azureKey, gcpKey } from '../cloud-names.ts';
import type { AwsName, AzureName, Ceiling, GcpName, Role } from '../role.ts';
import { jobpassTrust } from '../trust/jobpass.ts';
import type { Trust } from '../trust/trust.ts';
import { checkRole } from './jobpass-checks.ts';
import { type RoleFile, roleSchema } from './jobpass-schema.ts';
import { type CompiledEntries, compileEntries, type ReadFile } from './jobpass-trust.ts';
import { detached, RolePool } from './role-pool.ts';

/** A policy file as it was read: its tenant, its path below the policies folder, its decoded text. */
export interface PolicySource {
  readonly tenant: string;
  readonly file: string;
  readonly text: string;
}

/** How long a session lives when its role does not say (design, section 3), if the tenant's ceiling is not lower. */
const DEFAULT_DURATION_SECONDS = 20 * 60;

export interface ReadRoleOptions {
  /** Shares texts and patterns between the roles of one load. */
  readonly pool?: RolePool;
  /** How the files are read that the role names. Without it such a role is refused. */
  readonly readFile?: ReadFile;
}

/**
 * Reads one role. The error lists every problem of the file and of those that it names: form, patterns, expressions, the
 * clouds' documents, and whatever exceeds `ceiling`. Never throws, whatever the text is. Precondition: `ceiling` is that of
 * the file's tenant; null only where nothing is granted by the role (explaining and testing policies, without a server).
 */
export function readRole(
  source: PolicySource,
  ceiling: Ceiling | null,
  options: ReadRoleOptions = {},
): Result<Role, readonly Problem[]> {
  const { pool = new RolePool(), readFile } = options;
  let compiled: CompiledEntries = { entries: [], elsewhere: [], texts: [] };
  const document = readRoleFile(source, {
    maxBytes: MAX_POLICY_BYTES,
    check(value, report, lineOf) {
      compiled = compileEntries(value, {
        file: source.file,
        readFile,
        pool,
        report,
        lineOf,
        allowedIssuers: ceiling?.issuers,
      });
      checkRole(value, { source, ceiling, pool, compiled, report });
    },
  });
  const problems = [...(document.ok ? [] : document.error), ...compiled.elsewhere];
  if (!document.ok || problems.length > 0) return err(problems);
  return ok(buildRole(document.value, { source, ceiling, pool, compiled }));
}

const readRoleFile = documentReader(roleSchema);

interface Reading {
  readonly source: PolicySource;
  readonly ceiling: Ceiling | null;
  readonly pool: RolePool;
  readonly compiled: CompiledEntries;
}

/** Precondition: schema and checks found nothing. */
function buildRole(document: ReadDocument<RoleFile>, reading: Reading): Role {
  const { source, ceiling, pool, compiled } = reading;
  const { aws, azure, gcp, role, trust, session, permissions } = document.value;
  const asked = parseDuration(session.max_duration ?? '');
  const lineOf = (path: DocumentPath): number => document.keyPositionOf(path).line;
  return {
    ref: { tenant: pool.text(source.tenant), name: detached(role) },
    file: source.file,
    digest: digestOf(source.text, compiled.texts),
    trust: trust.map((entry, index) => buildEntry(entry, index, { pool, lineOf, compiled })),
    session: {
      gateway: pool.text(session.gateway),
      maxDurationSeconds:
        asked ?? Math.min(DEFAULT_DURATION_SECONDS, ceiling?.maxDurationSeconds ?? DEFAULT_DURATION_SECONDS),
      singleUse: session.single_use ?? false,
    },
    permissions: permissions.map(({ effect, actions, resources, conditions }, index) => ({
      effect,
      actions: pool.texts(actions),
      resources: pool.texts(resources),
      line: lineOf(['permissions', index]),
      // A copy, because what a parser gives are windows into the whole file.
      ...(conditions === undefined ? {} : { conditions: structuredClone(conditions) }),
    })),
    aws: aws === undefined ? null : awsName(aws.role_arn, document.positionOf(['aws', 'role_arn'])),
    gcp: gcp === undefined ? null : gcpName(gcp, document.positionOf(['gcp', 'provider'])),
    azure: azure === undefined ? null : azureName(azure, document.positionOf(['azure', 'client_id'])),
  };
}

function awsName(arn: string, { line, column }: Position): AwsName {
  const key = awsKey(arn);
  if (key === undefined) throw unchecked('an ARN');
  return { cloud: 'aws', key: copied(key), roleArn: copied(arn), line, column };
}

function gcpName(named: NonNullable<RoleFile['gcp']>, { line, column }: Position): GcpName {
  const { provider, service_account: account = null } = named;
  const serviceAccount = account === null ? null : copied(account);
  const key = copied(gcpKey(provider, account));
  return { cloud: 'gcp', key, provider: copied(provider), serviceAccount, line, column };
}

function azureName(named: NonNullable<RoleFile['azure']>, { line, column }: Position): AzureName {
  const tenant = parseAzureTenant(named.tenant);
  const clientId = parseAzureGuid(named.client_id);
  if (tenant === undefined || clientId === undefined) throw unchecked('an application');
  const key = copied(azureKey(tenant, clientId));
  return { cloud: 'azure', key, tenant: copied(tenant), clientId: copied(clientId), line, column };
}

/** What a parser gives are windows into the whole file. */
const copied = (text: string): string => Buffer.from(text).toString();

/** Of the file's text, and of the texts of the files it names, if any. */
function digestOf(text: string, others: readonly string[]): string {
  const own = hash('sha256', text);
  return others.length === 0 ? own : hash('sha256', [own, ...others.map((other) => hash('sha256', other))].join());
}

interface Building {
  readonly pool: RolePool;
  readonly lineOf: (path: DocumentPath) => number;
  readonly compiled: CompiledEntries;
}

function buildEntry(entry: RoleFile['trust'][number], index: number, building: Building): Trust {
  const { pool, lineOf } = building;
  const { trust, clauses = [], when } = building.compiled.entries[index] ?? {};
  if (trust !== undefined) return trust;
  const { issuer, claims = {} } = entry;
  // What could not be compiled must never become a clause less.
  if (issuer === undefined || (entry.when === undefined) !== (when === undefined)) throw unchecked('a trust entry');
  if (clauses.length !== Object.keys(claims).length) throw unchecked('a claim');
  if (clauses.length === 0 && when === undefined) throw unchecked('a trust entry');
  const rule = { issuer: pool.text(issuer), clauses, line: lineOf(['trust', index]) };
  return jobpassTrust(
    when === undefined ? rule : { ...rule, when: { expression: when, line: lineOf(['trust', index, 'when']) } },
  );
}

/** The schema and the checks let nothing of the kind through. */
const unchecked = (what: string): JobpassError =>
  new JobpassError('ERR_POLICY_UNCHECKED', `${what} was not checked before it was compiled`);
