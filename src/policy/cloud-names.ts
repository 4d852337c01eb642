// Roles by what the clouds' clients call them. A name is one role's in all tenants: the lookup of it has no tenant to begin with.
import { formatRoleRef, type RoleRef } from '../base/core/decision.ts';
import { JobpassError } from '../base/core/errors.ts';
import { awsRoleKey } from '../base/credential/aws-arn.ts';
import { type CloudName, cloudNames, type Role } from './role.ts';

/** Finds roles by the clouds' names, exactly as clients write them. */
export interface CloudIndex {
  /** The role that AWS clients call by this ARN; an account belongs to one tenant, so the tenant follows from it. */
  findByAwsArn(arn: string): RoleRef | undefined;
  /** The one role that lists this provider without a service account; a project belongs to one tenant. */
  findByGcpProvider(provider: string): RoleRef | undefined;
  /** The one role that lists this provider with this service account. */
  findByGcpAccount(provider: string, serviceAccount: string): RoleRef | undefined;
  /** The roles that list this provider with a service account, by the accounts' names. */
  gcpAccountsOf(provider: string): readonly RoleRef[];
  /** The role that is this application, by tenant and client id in lower case; an Azure tenant belongs to one tenant. */
  findByAzure(azureTenant: string, clientId: string): RoleRef | undefined;
  /** Whether the set was built with a role in this Azure tenant; for operators, it grants nothing. */
  hasAzureTenant(azureTenant: string): boolean;
}

/** One name for the roles that AWS would not let stand side by side. Undefined when it is no role's ARN. */
export function awsKey(arn: string): string | undefined {
  const key = awsRoleKey(arn);
  return key === undefined ? undefined : `aws ${key}`;
}

/** `serviceAccount` null: the provider's own role. */
export const gcpKey = (provider: string, serviceAccount: string | null): string =>
  serviceAccount === null ? `gcp ${provider}` : `gcp ${provider} ${serviceAccount}`;

export const azureKey = (azureTenant: string, clientId: string): string => `azure ${azureTenant} ${clientId}`;

/** The index over roles that are added one by one. */
export class CloudNames {
  readonly #roles = new Map<string, { readonly ref: RoleRef; readonly name: CloudName }>();
  readonly #accounts = new Map<string, Map<string, RoleRef>>();
  readonly #azureTenants = new Set<string>();

  /** Throws ERR_ROLE_DUPLICATE when another role has one of the names. */
  add(role: Role): void {
    for (const name of cloudNames(role)) {
      const known = this.#roles.get(name.key);
      if (known !== undefined) {
        const both = `${formatRoleRef(known.ref)} and ${formatRoleRef(role.ref)}`;
        throw new JobpassError('ERR_ROLE_DUPLICATE', `${both} have one name for clients of ${name.cloud}`);
      }
      this.#roles.set(name.key, { ref: role.ref, name });
      if (name.cloud === 'azure') this.#azureTenants.add(name.tenant);
      if (name.cloud !== 'gcp' || name.serviceAccount === null) continue;
      const accounts = this.#accounts.get(name.provider) ?? new Map<string, RoleRef>();
      this.#accounts.set(name.provider, accounts.set(name.serviceAccount, role.ref));
    }
  }

  /** What was added so far. */
  index(): CloudIndex {
    const find = (key: string): RoleRef | undefined => this.#roles.get(key)?.ref;
    return {
      findByAwsArn: (arn) => {
        const found = this.#roles.get(awsKey(arn) ?? '');
        return found?.name.cloud === 'aws' && found.name.roleArn === arn ? found.ref : undefined;
      },
      findByGcpProvider: (provider) => find(gcpKey(provider, null)),
      findByGcpAccount: (provider, serviceAccount) => find(gcpKey(provider, serviceAccount)),
      gcpAccountsOf: (provider) => [...(this.#accounts.get(provider) ?? [])].sort(byAccount).map(([, ref]) => ref),
      findByAzure: (azureTenant, clientId) => find(azureKey(azureTenant, clientId)),
      hasAzureTenant: (azureTenant) => this.#azureTenants.has(azureTenant),
    };
  }
}

const byAccount = ([a]: readonly [string, RoleRef], [b]: readonly [string, RoleRef]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** The index without the roles that are gone. */
export function indexWithout(index: CloudIndex, isGone: (ref: RoleRef) => boolean): CloudIndex {
  const kept = (ref: RoleRef | undefined): RoleRef | undefined => (ref === undefined || isGone(ref) ? undefined : ref);
  return {
    findByAwsArn: (arn) => kept(index.findByAwsArn(arn)),
    findByGcpProvider: (provider) => kept(index.findByGcpProvider(provider)),
    findByGcpAccount: (provider, serviceAccount) => kept(index.findByGcpAccount(provider, serviceAccount)),
    gcpAccountsOf: (provider) => index.gcpAccountsOf(provider).filter((ref) => !isGone(ref)),
    findByAzure: (azureTenant, clientId) => kept(index.findByAzure(azureTenant, clientId)),
    hasAzureTenant: (azureTenant) => index.hasAzureTenant(azureTenant),
  };
}
