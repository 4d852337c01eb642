// Who hears that a job is over, for each audience that it got a token for: what nobody listens for cannot be called back.
import type { EpochSeconds } from '../base/core/time.ts';
import type { IssuerContext } from './context.ts';
import type { Job } from './store.ts';

/** By an event at once; by whoever asks about a token, before it gives anything for it; by nobody. */
type Hearing = 'event' | 'introspection' | 'nobody';

/** One audience that the job got ID tokens for. */
interface ToldAudience {
  readonly audience: string;
  readonly heard: Hearing;
  /** When the last ID token for it expires; null: so long ago that it was forgotten. */
  readonly tokensUntil: EpochSeconds | null;
}

/**
 * As the `clients:` are now. Where an end is heard by introspection or by nobody, what the job was given for its tokens lives until it
 * expires by itself; where nobody hears it, more may be given until `tokensUntil`.
 */
export async function toldAudiences(
  { clients, store }: Pick<IssuerContext, 'clients' | 'store'>,
  job: Job,
): Promise<readonly ToldAudience[]> {
  const grants = clients.grants();
  const hearingOf = (audience: string): Hearing => {
    if (grants.some(({ events }) => events.includes(audience))) return 'event';
    return grants.some(({ introspect }) => introspect.includes(audience)) ? 'introspection' : 'nobody';
  };
  const audiences = await store.listAudiences(job.id);
  return audiences.map((one) => ({ ...one, heard: hearingOf(one.audience) }));
}
