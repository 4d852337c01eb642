// What the STS tells its gateways, as data. One signed message answers each poll; a gateway believes nothing unsigned.
import type { Epoch } from '../../base/core/epoch.ts';
import type { JsonObject } from '../../base/core/json.ts';
import type { PermissionSet } from '../../base/core/permissions.ts';
import type { EpochSeconds } from '../../base/core/time.ts';

/** The `typ` of a signed feed message, so that no other token of the STS can pass for one. */
export const FEED_TOKEN_TYPE = 'jobpass-feed+jwt';

export interface FeedMessage {
  /** The STS that signed it. */
  readonly issuer: string;
  /** The gateway it was made for. */
  readonly gateway: string;
  readonly group: string;
  readonly signedAt: EpochSeconds;
  /** The poll's own nonce: without it an old message could be played again. */
  readonly nonce: string;
  /** The STS's store: cursors count within one store alone. */
  readonly store: string;
  /** Ended sessions of the group, in order: after the poll's cursor, or all of them when the poll named another store. */
  readonly ended: readonly { readonly sessionId: string; readonly expiresAt: EpochSeconds }[];
  /** Where the next poll goes on. */
  readonly cursor: number;
  /** More ended sessions are waiting: poll again before trusting the silence. */
  readonly more: boolean;
  /** The epochs that end sessions of the group, as a content address; absent from an STS that has none for a gateway that asks for none. */
  readonly epochsId?: string;
  /** Sent when the poll named other epochs. An epoch is never taken back: one that is missing was forgotten, with all it ended. */
  readonly epochs?: readonly Epoch[];
  /** For each trusted issuer with a job feed: how old the STS's knowledge was when it signed. Null: never heard from. */
  readonly issuerAgesMs: Readonly<Record<string, number | null>>;
  readonly permissionSetId: string;
  /** Sent when the poll named another set than the active one. */
  readonly permissions?: PermissionSet;
  /** The STS's public keys, for credentials and for the next messages. */
  readonly keys: readonly JsonObject[];
  /**
   * All keys of the group that credentials may follow from, the oldest first, each as compact JWEs: one for each public key that
   * the STS has of this gateway; the header's `kid` says for which. Sent when the poll did not name this set of them.
   */
  readonly groupKeys?: {
    readonly keys: readonly { readonly id: string; readonly wrapped: readonly string[] }[];
    /** The one that new credentials follow from. */
    readonly activeId: string;
  };
  readonly groupKeySetId: string;
}

/** What a gateway asks. All of it fits in a query string. */
export interface FeedPoll {
  readonly nonce: string;
  readonly cursor: number;
  /** The store that the cursor counts in; null: none was heard yet. */
  readonly store: string | null;
  readonly permissionSetId: string | null;
  readonly groupKeySetId: string | null;
  /** Null: the gateway is of a version that knows no epochs; it refuses messages that have some. */
  readonly epochsId: string | null;
}
