// Whether the job behind a verified token still runs. Silence is an answer only while the issuer's feed is fresh.
import { MAX_STALENESS_MS } from '../../base/core/limits.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { quote } from '../../base/json/quote.ts';
import type { TrustedIssuer } from '../settings.ts';
import type { StsStore } from '../store.ts';
import type { FeedAges } from './feed-ages.ts';
import type { Introspect } from './introspect.ts';

/** What was learnt; `detail` says from whom. */
export interface JobStanding {
  /** The job, when the issuer is one that tells of its jobs. */
  readonly jobId: string | null;
  /** True only with a feed: then the STS hears of the end, and so do the gateways. */
  readonly jobBound: boolean;
  readonly detail: string;
}

export interface JobStatusDeps {
  readonly store: Pick<StsStore, 'identity' | 'isBuried'>;
  readonly ages: FeedAges;
  readonly introspect: Introspect;
  readonly clockSkewSeconds: number;
}

interface Question {
  readonly issuer: TrustedIssuer;
  readonly jobId: string | null;
  readonly token: string;
  /** The token's. */
  readonly audience: string;
  readonly issuedAt: EpochSeconds;
}

const UNTOLD: JobStanding = { jobId: null, jobBound: false, detail: 'this issuer does not tell when a job ends' };

/**
 * Precondition: signature, audience and times of the token hold. `jobId` is its `job_id` claim, well formed, or null when
 * the issuer does not tell of its jobs. Errors: job_ended, job_status_unknown, store_unavailable.
 */
export async function checkJobStatus(deps: JobStatusDeps, o: Question): Promise<Result<JobStanding, Failure>> {
  const { issuer, jobId } = o;
  const source = issuer.jobStatus;
  if (source.kind === 'none' || jobId === null) return ok(UNTOLD);
  const jobBound = source.kind === 'feed';
  if (jobBound) {
    const isHeard = await isHeardToRun(deps, { ...o, jobId, since: o.issuedAt });
    if (!isHeard.ok) return isHeard;
    if (isHeard.value) return ok({ jobId, jobBound, detail: `job ${jobId} runs, by a fresh feed` });
  }
  const answer = await deps.introspect(issuer, source, o.token);
  if (!answer.ok) return err(failure('job_status_unknown', answer.error));
  if (answer.value === null) {
    return err(failure('job_ended', `the issuer says that the token of job ${jobId} is not active`));
  }
  // RFC 7662 §4: an answer about another token is no answer about this one.
  if (answer.value.issuer !== issuer.issuer || answer.value.jobId !== jobId) {
    return err(failure('job_status_unknown', 'the issuer answered about another job'));
  }
  return ok({ jobId, jobBound, detail: `job ${jobId} runs, by introspection` });
}

/** A job that was known to run when a session was made of its token. */
interface KnownJob extends Pick<Question, 'issuer' | 'jobId' | 'audience'> {
  readonly knownAt: EpochSeconds;
  readonly nowSeconds: EpochSeconds;
}

/**
 * As `checkJobStatus`, without the token: there is nothing to ask the issuer with. Where the feed cannot tell, what was known is
 * still known for as long as anything is taken for fresh (design, section 3).
 */
export async function checkJobStatusAgain(deps: JobStatusDeps, o: KnownJob): Promise<Result<JobStanding, Failure>> {
  const { issuer, jobId } = o;
  const source = issuer.jobStatus;
  if (source.kind === 'none' || jobId === null) return ok(UNTOLD);
  const jobBound = source.kind === 'feed';
  if (jobBound) {
    const isHeard = await isHeardToRun(deps, { ...o, jobId, since: o.knownAt });
    if (!isHeard.ok) return isHeard;
    if (isHeard.value) return ok({ jobId, jobBound, detail: `job ${jobId} runs, by a fresh feed` });
  }
  const ageSeconds = o.nowSeconds - o.knownAt;
  if (ageSeconds * 1000 > MAX_STALENESS_MS) {
    return err(
      failure('job_status_unknown', `job ${jobId} ran ${ageSeconds} s ago, and no fresh feed tells of it since`),
    );
  }
  return ok({ jobId, jobBound, detail: `job ${jobId} ran ${ageSeconds} s ago` });
}

/** True: it runs, on the word of a fresh feed. False: silence proves nothing. Errors: job_ended and the others. */
async function isHeardToRun(
  deps: JobStatusDeps,
  o: Pick<Question, 'issuer' | 'audience'> & { readonly jobId: string; readonly since: EpochSeconds },
): Promise<Result<boolean, Failure>> {
  const unheard = unheardAudience(deps.ages, o);
  if (unheard !== undefined) return err(unheard);
  const known = await readStore(deps.store, o.issuer.issuer, o.jobId);
  if (!known.ok) return known;
  if (known.value.isBuried) return err(failure('job_ended', `the issuer told that job ${o.jobId} ended`));
  // An end from before the store's time may have been told to another store: about such a token silence proves nothing.
  const isOfOurTime = o.since > known.value.bornAt + deps.clockSkewSeconds;
  return ok(isOfOurTime && deps.ages.isFresh(o.issuer.issuer));
}

/**
 * An issuer tells of a job under the audiences that its tokens were made for. A registered one is checked whenever the feed is
 * heard; one that a wire takes besides is covered only where the operator of the issuer saw to it, and no session must outlive
 * a job whose end nobody would tell.
 */
function unheardAudience(
  ages: FeedAges,
  { audience, issuer }: Pick<Question, 'audience' | 'issuer'>,
): Failure | undefined {
  if (issuer.audiences.includes(audience) || ages.relyOn(issuer.issuer, audience)) return undefined;
  const remedy = `add it to \`events\` of the client by which the STS hears the feed`;
  return failure(
    'job_status_unknown',
    `the feed of ${issuer.issuer} does not tell of jobs under ${quote(audience)}: ${remedy}`,
  );
}

async function readStore(
  store: JobStatusDeps['store'],
  issuer: string,
  jobId: string,
): Promise<Result<{ readonly isBuried: boolean; readonly bornAt: EpochSeconds }, Failure>> {
  try {
    return ok({ isBuried: await store.isBuried(issuer, jobId), bornAt: (await store.identity()).bornAt });
  } catch (error) {
    return err(failure('store_unavailable', `tombstones could not be read: ${String(error)}`));
  }
}
