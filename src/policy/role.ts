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
}

/** What AWS clients call a role, and where its file says so. */
export interface AwsName {
  readonly roleArn: string;
  /** `awsRoleKey` of the ARN. */
  readonly key: string;
  readonly line: number;
  readonly column: number;
}

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
}
