// The compiled form of an AWS trust policy's statement. Reading makes it, judging uses it; it does neither.
import type { Condition } from '../iam/conditions.ts';

export const WEB_IDENTITY_ACTION = 'sts:AssumeRoleWithWebIdentity';
export const TAG_SESSION_ACTION = 'sts:TagSession';
export const SOURCE_IDENTITY_ACTION = 'sts:SetSourceIdentity';

/** An OIDC provider that a statement names. */
export interface FederatedProvider {
  /** As the policy names it: an ARN, or the bare host of a provider that AWS has built in. */
  readonly principal: string;
  /** The issuers it stands for: the provider's URL with its scheme back. */
  readonly issuers: readonly string[];
}

/** One statement of a trust policy in compiled form. */
export interface AwsStatement {
  readonly effect: 'allow' | 'deny';
  readonly line: number;
  readonly providers: readonly FederatedProvider[];
  /** A Deny for everybody (`"AWS": "*"`). An Allow for everybody means AWS principals: it never lets a web identity in. */
  readonly deniesEveryone: boolean;
  /** Every principal as written, for traces. */
  readonly principals: readonly string[];
  readonly principalLine: number;
  /** Those of the three actions above that the statement's actions, wildcards and all, stand for. */
  readonly covers: ReadonlySet<string>;
  readonly actionNames: readonly string[];
  readonly actionLine: number;
  readonly conditions: readonly Condition[];
}
