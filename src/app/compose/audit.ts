// Puts together what a server does with its audit chains: the upkeep, and what operators may ask.
import { type AuditGrant, auditRoutes } from '../../base/audit/admin-routes.ts';
import { type CheckpointKey, ownCheckpoints } from '../../base/audit/own-checkpoints.ts';
import type { AuditStore } from '../../base/audit/store.ts';
import { AuditUpkeep } from '../../base/audit/upkeep.ts';
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import { RefusalDesk } from '../../base/refusal/desk.ts';
import type { KeyEncryptionKey } from '../../keys/kek.ts';
import type { LiveKeys } from '../../keys/live-ring.ts';
import { openPair } from '../../keys/material.ts';
import type { KeyStore } from '../../keys/store.ts';
import { isLiving, publicPartOf } from '../../keys/stored.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { AuditPlan } from '../config/plan.ts';
import { anchorFile } from './anchor-file.ts';

/** The server whose audit chains are kept. */
export interface AuditSetup<Grant extends AuditGrant> {
  /** What its records call the server. */
  readonly server: 'issuer' | 'sts';
  readonly url: string;
  readonly plan: AuditPlan;
  readonly store: AuditStore & KeyStore;
  /** What signs checkpoints, and the ring it is of. */
  readonly keys: Pick<LiveKeys, 'signer'>;
  readonly ring: string;
  /** What the ring is sealed under. */
  readonly kek: KeyEncryptionKey;
  readonly clients: ClientRegistry<Grant>;
  readonly log: Log;
}

/** The upkeep, not yet started, and the routes for the operators' listener. */
export function setUpAudit<Grant extends AuditGrant>(
  setup: AuditSetup<Grant>,
): { readonly upkeep: AuditUpkeep; readonly routes: readonly Route[] } {
  const { clients, kek, keys, log, plan, ring, server, store, url: issuer } = setup;
  const ports = { clock: systemClock, random: systemRandom, log };
  const { anchorPath, keepSeconds } = plan;
  const anchor = anchorPath === null ? null : anchorFile(anchorPath);
  // Whoever can write the database but has no key-encryption key must not be able to add a key here.
  const checkpointKeys = async (): Promise<readonly CheckpointKey[]> =>
    (await store.readRing(ring)).keys.flatMap((key) => {
      const jwk = isLiving(key) ? openPair(key, kek).publicJwk : publicPartOf(key, kek);
      return jwk === null ? [] : [{ state: key.state, jwk }];
    });
  const open = ownCheckpoints(issuer, checkpointKeys);
  const signer = () => keys.signer();
  const upkeep = new AuditUpkeep({ ...ports, store, signer, open, issuer, server, anchor, keepSeconds });
  const refusals = new RefusalDesk(ports);
  return { upkeep, routes: auditRoutes({ ...ports, clients, refusals, store, upkeep, issuer, checkpointKeys }) };
}
