// A role in compiled form. Readers make it from a policy file; nothing changes it afterwards.
import type { RoleRef } from '../base/core/decision.ts';
import type { Statement } from '../base/core/permissions.ts';
import type { Pattern } from './pattern.ts';

/** One claim and the values it may have; it holds when the claim is a string and any pattern matches it whole. */
export interface Clause {
  readonly claim: string;
  readonly wanted: readonly Pattern[];
  readonly line: number;
}

/** Tokens of one issuer that satisfy every clause. */
export interface TrustRule {
  readonly issuer: string;
  readonly clauses: readonly Clause[];
  readonly line: number;
}

export interface Role {
  readonly ref: RoleRef;
  /** Path below the policies folder, for people. */
  readonly file: string;
  /** SHA-256 of the file's bytes, hex. */
  readonly digest: string;
  /** Any of these suffices. Never empty. */
  readonly trust: readonly TrustRule[];
  readonly session: {
    readonly gateway: string;
    readonly maxDurationSeconds: number;
    readonly singleUse: boolean;
  };
  readonly permissions: readonly Statement[];
}

/** What the operator lets the authors of one tenant give away. */
export interface Ceiling {
  readonly tenant: string;
  readonly issuers: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly gateways: readonly string[];
  readonly maxDurationSeconds: number;
}
