// A role in compiled form. Readers make it from a policy file; nothing changes it afterwards.
import type { RoleRef } from '../base/core/decision.ts';
import type { Statement } from '../base/core/permissions.ts';
import type { Trust } from './trust/trust.ts';

export interface Role {
  readonly ref: RoleRef;
  /** Path below the policies folder, for people. */
  readonly file: string;
  /** SHA-256 of the file's bytes, hex. */
  readonly digest: string;
  /** Any of these suffices. Never empty. */
  readonly trust: readonly Trust[];
  readonly session: {
    readonly gateway: string;
    readonly maxDurationSeconds: number;
    readonly singleUse: boolean;
  };
  readonly permissions: readonly Statement[];
  /** Null: no AWS client can assume it. */
  readonly aws: AwsName | null;
  /** Null: no Google Cloud client can name it. */
  readonly gcp: GcpName | null;
  /** Null: no Azure client can name it. */
  readonly azure: AzureName | null;
}

/** What a cloud's clients call a role, and where its file says so. */
interface NamedInFile {
  /** The cloud and the name in one form: no two roles of all tenants have the same. */
  readonly key: string;
  readonly line: number;
  readonly column: number;
}

/** What AWS clients call a role. */
export interface AwsName extends NamedInFile {
  readonly cloud: 'aws';
  readonly roleArn: string;
}

/** What Google Cloud clients call a role: the provider they present their token to, and the service account they take on. */
export interface GcpName extends NamedInFile {
  readonly cloud: 'gcp';
  /** `//iam.googleapis.com/projects/…/providers/…`. */
  readonly provider: string;
  /** Null: the role is the provider's own, for clients that take on no account. */
  readonly serviceAccount: string | null;
}

/** What Azure clients call a role: a tenant, and an application in it. */
export interface AzureName extends NamedInFile {
  readonly cloud: 'azure';
  /** A GUID or a domain name, in lower case. */
  readonly tenant: string;
  /** A GUID in lower case. */
  readonly clientId: string;
}

export type CloudName = AwsName | GcpName | AzureName;

/** Every name that clients of some cloud have for the role. */
export const cloudNames = ({ aws, azure, gcp }: Role): readonly CloudName[] =>
  [aws, gcp, azure].filter((name): name is CloudName => name !== null);

/** Whether the role stands for a cloud's own document: every other names a group of gateways. */
export const isDocument = (role: Role): boolean => role.session.gateway === '';

/** What the operator lets the authors of one tenant give away. */
export interface Ceiling {
  readonly tenant: string;
  readonly issuers: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly gateways: readonly string[];
  readonly maxDurationSeconds: number;
  /** The AWS accounts that ARNs of roles may be in. Each belongs to one tenant. */
  readonly awsAccounts: readonly string[] | 'all';
  /** The numbers of the Google Cloud projects that providers of roles may be in. Each belongs to one tenant. */
  readonly gcpProjects: readonly string[] | 'all';
  /** The Azure tenants, in lower case, that applications of roles may be in. Each belongs to one tenant. */
  readonly azureTenants: readonly string[] | 'all';
}
