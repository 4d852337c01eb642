// What every part of the issuer works with, and what it needs of the rooms beside it. No behaviour.
import type { StoreWatch } from '../base/audit/store-watch.ts';
import type { Client, IssuerGrant } from '../base/client-auth/client.ts';
import type { JsonObject } from '../base/core/json.ts';
import type { Failure } from '../base/core/reasons.ts';
import type { Result } from '../base/core/result.ts';
import type { VerificationKey } from '../base/jwt/jwk.ts';
import type { Limits } from '../base/limit/rate-limits.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { HttpRequest } from '../base/ports/http.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';
import type { Signer } from '../base/ports/signer.ts';
import type { RefusalDesk } from '../base/refusal/desk.ts';
import type { JobEnds } from './job-ends.ts';
import type { IssuerSettings } from './settings.ts';
import type { IssuerStore } from './store.ts';

/** The issuer's key ring, as far as it is used here. */
export interface IssuerKeys {
  /** The key that signs now. */
  signer(): Signer;
  /** What relying parties may verify with, as JWKs. */
  publicJwks(): { readonly keys: readonly JsonObject[] };
  verificationKeys(): readonly VerificationKey[];
}

/** Who may call: the registry of `clients:`. A failure says that nobody was recognised. */
export interface ClientAuthenticator {
  authenticate(request: HttpRequest, form?: ReadonlyMap<string, string>): Promise<Result<Client<IssuerGrant>, Failure>>;
  /** What each client whose entry has not expired may. */
  grants(): readonly IssuerGrant[];
}

/** Everything the issuer is given. */
export interface IssuerDependencies {
  readonly settings: IssuerSettings;
  readonly store: IssuerStore;
  readonly keys: IssuerKeys;
  readonly clients: ClientAuthenticator;
  /** How often each job may ask; absent: as often as it likes. */
  readonly limits?: Limits;
  /** Opened. Absent: the store is always the one that it was. */
  readonly storeWatch?: StoreWatch;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface IssuerContext extends IssuerDependencies {
  readonly ends: JobEnds;
  readonly refusals: RefusalDesk;
}
