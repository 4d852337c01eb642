// Who may call a non-public route, as data. Checking a caller is authenticate's business.
import type { JsonObject } from '../core/json.ts';
import type { EpochSeconds } from '../core/time.ts';

/** A `clients:` entry. `Grant` is what the wing lets its clients do. */
export interface Client<Grant> {
  readonly name: string;
  /** SHA-256 of each secret, hex; at most two are valid at once. Secrets carry at least 256 bits, so no slow hash is needed. */
  readonly secretHashes: readonly string[];
  /** Public keys for `private_key_jwt` (RFC 7523 §2.2), as a JWKS; null: secret only. */
  readonly jwks: JsonObject | null;
  readonly expiresAt: EpochSeconds | null;
  readonly may: Grant;
}

/** What the issuer lets a client do. */
export interface IssuerGrant {
  readonly jobs: ControllerGrant | null;
  /** Audiences whose tokens it may ask about. */
  readonly introspect: readonly string[];
  /** Audiences whose jobs' ends it hears of. */
  readonly events: readonly string[];
  /** Key rings it may look at and change; `*`: all. */
  readonly keys: readonly string[];
  /** Whether it reads the audit chains whole and prunes them. */
  readonly audit: boolean;
}

/** A controller's bounds: it starts and finishes jobs of these owners and sees no other's. */
export interface ControllerGrant {
  readonly owners: readonly { readonly name: string; readonly id: string }[];
  /** Extra claims of this controller begin with it; null: it may give none. */
  readonly extraClaimPrefix: string | null;
  /** Every job it starts is local: set for the controller of `serve --dev`. */
  readonly localOnly: boolean;
}

/** What the STS lets a client do. Tenants bind what an operator may read. */
export interface StsGrant {
  /** The gateway whose feed it may read; null: none. */
  readonly feed: string | null;
  readonly read: readonly string[];
  readonly evaluate: readonly string[];
  /** Gateway groups whose access tokens it may ask about. */
  readonly introspect: readonly string[];
  /** Tenants whose sessions it may end. */
  readonly revoke: readonly string[];
  /** Whether it may end what is of no single tenant, and stop granting: an issuer, a job, everything. */
  readonly operate: boolean;
  /** Key rings it may look at and change; `*`: all. */
  readonly keys: readonly string[];
  /** Whether it reads the audit chains whole and prunes them. */
  readonly audit: boolean;
}
