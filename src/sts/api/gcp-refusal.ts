// What Google Cloud's routes need, and how they refuse outside the pipeline. The form of an answer is each route's own.
import type { Failure } from '../../base/core/reasons.ts';
import type { HttpRequest } from '../../base/ports/http.ts';
import type { GcpRefusal } from '../../wire/gcp-sts/refusal.ts';
import type { BearerDeps } from '../bearers.ts';
import { refuseUnread } from '../exchange.ts';
import type { StsStore } from '../store.ts';
import type { AccessTokenDeps } from './access-token.ts';

/** What Google Cloud's requests are recorded under. */
export const GCP_WIRE = 'gcp';

export interface GcpRouteDeps extends AccessTokenDeps {
  readonly bearers: BearerDeps;
  readonly sessions: Pick<StsStore, 'findSession'>;
}

/** A refusal under an id in the ring; open where it speaks of the caller's own words alone. */
export function refuseGcp(
  deps: Pick<GcpRouteDeps, 'exchange'>,
  { remoteAddress }: HttpRequest,
  { isOpen, refusal }: { readonly refusal: Failure; readonly isOpen: boolean },
): GcpRefusal {
  const refused = refuseUnread(deps.exchange, { wire: GCP_WIRE, role: null, remoteAddress }, refusal);
  return isOpen ? { ...refused, open: refusal.detail } : refused;
}
