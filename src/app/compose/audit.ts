// Puts together what a server does with its audit chains: the upkeep, and what operators may ask.
import { type AuditGrant, auditRoutes } from '../../base/audit/admin-routes.ts';
import type { AuditStore } from '../../base/audit/store.ts';
import { AuditUpkeep } from '../../base/audit/upkeep.ts';
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import { RefusalDesk } from '../../base/refusal/desk.ts';
import type { LiveKeys } from '../../keys/live-ring.ts';
import type { KeyStore } from '../../keys/store.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { AuditPlan } from '../config/plan.ts';
import { anchorFile } from './anchor-file.ts';

export interface AuditSetup<Grant extends AuditGrant> {
  /** What its records call the server. */
  readonly server: 'issuer' | 'sts';
  readonly url: string;
  readonly plan: AuditPlan;
  readonly store: AuditStore & KeyStore;
  /** What signs checkpoints, and the ring it is of. */
  readonly keys: Pick<LiveKeys, 'signer'>;
  readonly ring: string;
  readonly clients: ClientRegistry<Grant>;
  readonly log: Log;
}

/** The upkeep, not yet started, and the routes for the operators' listener. */
export function setUpAudit<Grant extends AuditGrant>(
  setup: AuditSetup<Grant>,
): { readonly upkeep: AuditUpkeep; readonly routes: readonly Route[] } {
  const { clients, keys, log, plan, ring, server, store, url: issuer } = setup;
  const ports = { clock: systemClock, random: systemRandom, log };
  const { anchorPath, keepSeconds } = plan;
  const anchor = anchorPath === null ? null : anchorFile(anchorPath);
  const upkeep = new AuditUpkeep({ ...ports, store, signer: () => keys.signer(), issuer, server, anchor, keepSeconds });
  const refusals = new RefusalDesk(ports);
  const checkpointKeys = async () =>
    (await store.readRing(ring)).keys.flatMap(({ publicJwk, state }) =>
      publicJwk === null ? [] : [{ state, jwk: publicJwk }],
    );
  return { upkeep, routes: auditRoutes({ ...ports, clients, refusals, store, upkeep, issuer, checkpointKeys }) };
}
