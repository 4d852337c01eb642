// Permission statements as data: what a role may do at the gateways of its group. Evaluating them is policy/iam's business.

/** Conditions in IAM's form: operator, key, value or values; all must hold. */
export type ConditionBlock = Readonly<
  Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>
>;
type ConditionValue = string | number | boolean;

/** An IAM statement. Patterns use `*` (any run) and `?` (any one character); `${claims.NAME}` stands for a literal value. */
export interface Statement {
  readonly effect: 'allow' | 'deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Absent: the statement applies to every request that its actions and resources match. */
  readonly conditions?: ConditionBlock;
  /** Line in the policy file, from 1. */
  readonly line: number;
}

/** The permissions of one role, as gateways need them. */
export interface RolePermissions {
  /** `tenant/name`. */
  readonly role: string;
  readonly statements: readonly Statement[];
}

/** The active permissions of one gateway group; `id` is the SHA-256 of its canonical content. */
export interface PermissionSet {
  readonly id: string;
  readonly roles: readonly RolePermissions[];
}
