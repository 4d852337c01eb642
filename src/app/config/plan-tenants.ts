// The tenants of the STS as a plan: what each may give away, and the session policies its AWS clients may name.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Statement } from '../../base/core/permissions.ts';
import { readNamedPolicy } from '../../policy/readers/session-policy.ts';
import type { Ceiling } from '../../policy/role.ts';
import type { StsSettings } from '../../sts/settings.ts';
import { seconds } from './defaults.ts';
import type { PlanContext } from './plan-context.ts';
import type { ProblemList } from './problem-list.ts';
import type { StsSection } from './schema.ts';

const DEFAULT_MAX_DURATION = '12h';

/** What each tenant must say when it is not alone: silence would give it what is another's. */
const SAID_BY_EACH = ['issuers', 'gateways', 'resources'] as const;

type Tenants = readonly (readonly [string, NonNullable<StsSection['tenants']>[string]])[];

const tenantsOf = (section: StsSection): Tenants => Object.entries(section.tenants ?? { main: {} });

/** The ceilings, defaults filled in. */
export function planTenants(section: StsSection, { problems }: PlanContext): readonly Ceiling[] {
  const tenants = tenantsOf(section);
  const issuers = section.trusted_issuers.map(({ issuer }) => issuer);
  const groups = [...new Set((section.gateways ?? []).map(({ name, group }) => group ?? name))];
  checkSilence(tenants, problems);
  checkKnown(tenants, { key: 'issuers', known: issuers, message: 'not a trusted issuer' }, problems);
  checkKnown(tenants, { key: 'gateways', known: groups, message: 'no registered gateway is in this group' }, problems);
  for (const [key, what] of OWNED) checkOwners(tenants, { key, what }, problems);
  // An account or project is somebody's: where there are several tenants, none has one that is not given to it.
  const unsaid = tenants.length > 1 ? [] : 'all';
  return tenants.map(([tenant, ceiling]) => ({
    tenant,
    issuers: ceiling.issuers ?? issuers,
    gateways: ceiling.gateways ?? groups,
    actions: ceiling.actions ?? ['*'],
    resources: ceiling.resources ?? ['*'],
    maxDurationSeconds: seconds(ceiling.max_duration ?? DEFAULT_MAX_DURATION),
    awsAccounts: ceiling.aws_accounts ?? unsaid,
    gcpProjects: ceiling.gcp_projects ?? unsaid,
    azureTenants: ceiling.azure_tenants?.map((name) => name.toLowerCase()) ?? unsaid,
  }));
}

function checkSilence(tenants: Tenants, problems: ProblemList): void {
  const hint = 'with more than one tenant each says what it may give away';
  for (const [tenant, ceiling] of tenants)
    for (const key of SAID_BY_EACH)
      if (tenants.length > 1 && ceiling[key] === undefined)
        problems.add(['sts', 'tenants', tenant], `${key} is missing`, hint);
}

interface Known {
  readonly key: 'issuers' | 'gateways';
  readonly known: readonly string[];
  readonly message: string;
}

function checkKnown(tenants: Tenants, { key, known, message }: Known, problems: ProblemList): void {
  const hint = `list it under sts.${key === 'issuers' ? 'trusted_issuers' : 'gateways'}`;
  for (const [tenant, ceiling] of tenants)
    for (const [index, value] of (ceiling[key] ?? []).entries())
      if (!known.includes(value)) problems.add(['sts', 'tenants', tenant, key, index], message, hint);
}

/** What belongs to one tenant alone: a role is found by its name in the cloud, so one owner in two tenants would let one answer for the other. */
const OWNED = [
  ['aws_accounts', 'account'],
  ['gcp_projects', 'project'],
  ['azure_tenants', 'Azure tenant'],
] as const;

interface Owned {
  readonly key: (typeof OWNED)[number][0];
  readonly what: string;
}

function checkOwners(tenants: Tenants, { key, what }: Owned, problems: ProblemList): void {
  const owners = new Map<string, string>();
  for (const [tenant, ceiling] of tenants)
    for (const [index, written] of (ceiling[key] ?? []).entries()) {
      // Only names of Azure tenants have letters, and their case says nothing.
      const owned = written.toLowerCase();
      const owner = owners.get(owned);
      if (owner === undefined) owners.set(owned, tenant);
      else if (owner !== tenant)
        problems.add(['sts', 'tenants', tenant, key, index], `the ${what} is tenant ${owner}’s`);
    }
}

/** By tenant, then by ARN: what AWS clients may name to narrow their sessions. */
export const planAwsPolicies = (section: StsSection, context: PlanContext): StsSettings['awsPolicies'] =>
  new Map(
    tenantsOf(section).map(([tenant, { aws_policies: listed = {} }]) => [
      tenant,
      new Map(
        Object.entries(listed).map(([arn, reference]) => [
          arn,
          readPolicy(reference, ['sts', 'tenants', tenant, 'aws_policies', arn], context),
        ]),
      ),
    ]),
  );

function readPolicy(
  reference: string,
  path: readonly string[],
  { places, problems }: PlanContext,
): readonly Statement[] {
  let text: string;
  try {
    text = readFileSync(resolve(places.folder, reference.slice('file:'.length)), 'utf8');
  } catch {
    problems.add(path, `${reference} cannot be read`);
    return [];
  }
  const policy = readNamedPolicy(text);
  if (policy.ok) return policy.value;
  problems.add(path, `${reference}: ${policy.error.detail}`);
  return [];
}
