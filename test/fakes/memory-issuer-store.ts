// An IssuerStore in memory for unit tests. It passes the port's conformance suite (test/conformance/memory-stores.test.ts) but
// for one promise: nothing of it is durable.
import { JobpassError } from '../../src/base/core/errors.ts';
import { MAX_CLOCK_SKEW_SECONDS } from '../../src/base/core/limits.ts';
import {
  type Beginning,
  type EpochSeconds,
  type EventReader,
  type IssuedToken,
  type IssuerStore,
  type Job,
  type JobAudience,
  type JobEndedEvent,
  type JobEndReason,
  MAX_RECEIVERS,
  type RequestToken,
} from '../../src/issuer/store.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

type Operation = keyof IssuerStore;
/** As the port says of `prune`. */
const SLACK_SECONDS = 2 * MAX_CLOCK_SKEW_SECONDS;
const acknowledgement = ({ client, receiver }: EventReader, id: string): string =>
  JSON.stringify([client, receiver, id]);

interface QueuedEvent extends JobEndedEvent {
  readonly expiresAt: EpochSeconds;
}

export class MemoryIssuerStore extends MemoryAuditStore implements IssuerStore {
  /** Runs just before each operation's own transaction; may throw to make it fail. */
  before: (operation: Operation) => void | Promise<void> = () => undefined;
  readonly jobs = new Map<string, Job>();
  readonly requestTokens = new Map<string, RequestToken>();
  readonly tokens = new Map<string, IssuedToken>();
  readonly events: QueuedEvent[] = [];
  readonly acknowledged = new Set<string>();
  ownBeginning: Beginning = { generation: 0, at: null, history: null, isRestored: false, vouchedAt: null };
  /** The audiences that got a token, by job; kept as long as the job. */
  readonly #audiences = new Map<string, Set<string>>();
  highWater: EpochSeconds = 0;
  #lastSequence = 0;
  /** From the least recently to the most recently heard of. */
  #readers: EventReader[] = [];

  async startJob(job: Job, token: RequestToken): Promise<{ readonly created: boolean; readonly job: Job }> {
    await this.before('startJob');
    const same = (other: Job): boolean =>
      other.controller === job.controller && other.idempotencyKey === job.idempotencyKey;
    const found = [...this.jobs.values()].find(same);
    if (found !== undefined) return { created: false, job: found };
    if (this.jobs.has(job.id)) throw new JobpassError('ERR_STORE_UNAVAILABLE', 'the id is taken');
    this.highWater = Math.max(this.highWater, job.startedAt);
    this.jobs.set(job.id, job);
    this.requestTokens.set(token.hash, token);
    return { created: true, job };
  }

  async findJob(id: string): Promise<Job | undefined> {
    await this.before('findJob');
    return this.jobs.get(id);
  }

  async addRequestToken(token: RequestToken, max: number): Promise<'added' | 'job_ended' | 'too_many'> {
    await this.before('addRequestToken');
    if (this.#running(token.jobId) === undefined) return 'job_ended';
    const count = [...this.requestTokens.values()].filter(({ jobId }) => jobId === token.jobId).length;
    if (count >= max) return 'too_many';
    this.requestTokens.set(token.hash, token);
    return 'added';
  }

  async findRequestToken(hash: string): Promise<RequestToken | undefined> {
    await this.before('findRequestToken');
    return this.requestTokens.get(hash);
  }

  async heartbeat(jobId: string, at: EpochSeconds): Promise<boolean> {
    await this.before('heartbeat');
    const job = this.#running(jobId);
    if (job === undefined) return false;
    this.jobs.set(jobId, { ...job, lastHeartbeatAt: Math.max(job.lastHeartbeatAt, at) });
    return true;
  }

  async recordToken(token: IssuedToken): Promise<boolean> {
    await this.before('recordToken');
    if (this.#running(token.jobId) === undefined) return false;
    this.tokens.set(token.jti, token);
    const audiences = this.#audiences.get(token.jobId) ?? new Set();
    this.#audiences.set(token.jobId, audiences.add(token.audience));
    return true;
  }

  async findToken(jti: string): Promise<IssuedToken | undefined> {
    await this.before('findToken');
    return this.tokens.get(jti);
  }

  async listAudiences(jobId: string): Promise<readonly JobAudience[]> {
    await this.before('listAudiences');
    const untilOf = (audience: string): EpochSeconds | null => {
      const own = [...this.tokens.values()].filter((token) => token.jobId === jobId && token.audience === audience);
      return own.length === 0 ? null : Math.max(...own.map(({ expiresAt }) => expiresAt));
    };
    const audiences = [...(this.#audiences.get(jobId) ?? [])].sort();
    return audiences.map((audience) => ({ audience, tokensUntil: untilOf(audience) }));
  }

  async endJob(
    jobId: string,
    end: { readonly at: EpochSeconds; readonly reason: JobEndReason; readonly eventExpiresAt: EpochSeconds },
  ): Promise<Job | undefined> {
    await this.before('endJob');
    this.highWater = Math.max(this.highWater, end.at);
    return this.#end(jobId, end);
  }

  #end(jobId: string, end: Parameters<IssuerStore['endJob']>[1]): Job | undefined {
    const job = this.#running(jobId);
    if (job === undefined) return this.jobs.get(jobId);
    const ended: Job = { ...job, endedAt: end.at, endReason: end.reason };
    this.jobs.set(jobId, ended);
    for (const audience of this.#audiences.get(jobId) ?? []) {
      this.#lastSequence += 1;
      const sequence = this.#lastSequence;
      const { at: endedAt, reason, eventExpiresAt: expiresAt } = end;
      this.events.push({ sequence, id: `E${sequence}`, jobId, audience, endedAt, reason, expiresAt });
    }
    return ended;
  }

  async history(): Promise<string> {
    return 'memory';
  }

  /** Open to tests that play another replica. */
  readonly watchers = new Set<() => void>();

  watch(onChange: () => void): () => void {
    this.watchers.add(onChange);
    return () => this.watchers.delete(onChange);
  }

  acceptHistory(): void {
    // There is no other.
  }

  async beginAnew(beginning: Parameters<IssuerStore['beginAnew']>[0]): Promise<number | undefined> {
    await this.before('beginAnew');
    const { eventExpiresAt, expectedGeneration, history, now: at, record } = beginning;
    if (this.ownBeginning.generation !== expectedGeneration) return undefined;
    this.append(record);
    this.ownBeginning = { ...this.ownBeginning, generation: expectedGeneration + 1, at, history, isRestored: false };
    this.highWater = Math.max(this.highWater, at);
    const running = [...this.jobs.values()].filter(({ endedAt }) => endedAt === null);
    for (const { id } of running) this.#end(id, { at, reason: 'store_restored', eventExpiresAt });
    return running.length;
  }

  async highWaterMark(): Promise<EpochSeconds> {
    await this.before('highWaterMark');
    return this.highWater;
  }

  async listOverdueJobs(now: EpochSeconds, limit: number): Promise<readonly Job[]> {
    await this.before('listOverdueJobs');
    const dueAt = (job: Job): EpochSeconds =>
      Math.min(job.deadline, job.lastHeartbeatAt + (job.heartbeatSeconds ?? Number.POSITIVE_INFINITY));
    const overdue = (job: Job): boolean => job.endedAt === null && dueAt(job) < now;
    return [...this.jobs.values()].filter(overdue).slice(0, limit);
  }

  async listEvents(
    reader: EventReader,
    audiences: readonly string[],
    limit: number,
  ): Promise<readonly JobEndedEvent[]> {
    await this.before('listEvents');
    const waiting = this.events.filter(
      (event) => audiences.includes(event.audience) && !this.acknowledged.has(acknowledgement(reader, event.id)),
    );
    return waiting.slice(0, limit);
  }

  async acknowledgeEvents(reader: EventReader, eventIds: readonly string[]): Promise<void> {
    await this.before('acknowledgeEvents');
    for (const id of eventIds) this.acknowledged.add(acknowledgement(reader, id));
    const isSame = (other: EventReader): boolean => acknowledgement(other, '') === acknowledgement(reader, '');
    this.#readers = [...this.#readers.filter((other) => !isSame(other)), reader];
    const ofClient = this.#readers.filter(({ client }) => client === reader.client);
    for (const displaced of ofClient.slice(0, -MAX_RECEIVERS)) {
      for (const { id } of this.events) this.acknowledged.delete(acknowledgement(displaced, id));
      this.#readers = this.#readers.filter((other) => other !== displaced);
    }
  }

  async beginning(): Promise<Beginning> {
    await this.before('beginning');
    return this.ownBeginning;
  }

  async vouch(at: number): Promise<void> {
    this.ownBeginning = { ...this.ownBeginning, vouchedAt: Math.max(at, this.ownBeginning.vouchedAt ?? 0) };
  }

  async markRestored(): Promise<void> {
    await this.before('markRestored');
    this.ownBeginning = { ...this.ownBeginning, isRestored: true };
  }

  async prune(now: EpochSeconds): Promise<void> {
    await this.before('prune');
    this.highWater = Math.max(this.highWater, now);
    const before = now - SLACK_SECONDS;
    for (const [jti, token] of this.tokens) if (token.expiresAt < before) this.tokens.delete(jti);
    this.events.splice(0, this.events.length, ...this.events.filter((event) => event.expiresAt >= now));
    for (const job of this.jobs.values()) if (job.endedAt !== null && job.deadline < before) this.#forget(job.id);
  }

  /** A job that nothing speaks of any more. */
  #forget(jobId: string): void {
    const ofJob = (item: { readonly jobId: string }): boolean => item.jobId === jobId;
    if ([...this.tokens.values()].some(ofJob) || this.events.some(ofJob)) return;
    this.jobs.delete(jobId);
    this.#audiences.delete(jobId);
    for (const [hash, token] of this.requestTokens) if (ofJob(token)) this.requestTokens.delete(hash);
  }

  #running(jobId: string): Job | undefined {
    const job = this.jobs.get(jobId);
    return job?.endedAt === null ? job : undefined;
  }
}
