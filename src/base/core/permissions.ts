// Permission statements as data: what a role may do at the gateways of its group. Evaluating them is policy/iam's business.
import { isJsonObject, type JsonValue } from './json.ts';

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

/** The statements as JSON, each member always in the same place. */
export const statementsJson = (statements: readonly Statement[]): JsonValue =>
  statements.map(({ effect, actions, resources, line, conditions }) => ({
    effect,
    actions,
    resources,
    line,
    ...(conditions === undefined ? {} : { conditions }),
  }));

const MEMBERS: ReadonlySet<string> = new Set(['effect', 'actions', 'resources', 'line', 'conditions']);
const isScalar = (value: JsonValue | undefined): boolean => ['string', 'number', 'boolean'].includes(typeof value);
const isTextList = (value: JsonValue | undefined): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

/** Whether the value has the form of statements, and no member more. Whether their patterns and conditions compile, it does not say. */
export const isStatements = (value: JsonValue): value is JsonValue & readonly Statement[] =>
  Array.isArray(value) && value.every(isStatement);

function isStatement(value: JsonValue): boolean {
  if (!isJsonObject(value) || !Object.keys(value).every((name) => MEMBERS.has(name))) return false;
  const { effect, actions, resources, line, conditions } = value;
  if (effect !== 'allow' && effect !== 'deny') return false;
  return (
    isTextList(actions) && isTextList(resources) && Number.isSafeInteger(line) && isConditionBlock(conditions ?? {})
  );
}

const isConditionBlock = (value: JsonValue): boolean =>
  isJsonObject(value) &&
  Object.values(value).every(
    (keys) =>
      isJsonObject(keys) &&
      Object.values(keys).every((wanted) => isScalar(wanted) || (Array.isArray(wanted) && wanted.every(isScalar))),
  );
