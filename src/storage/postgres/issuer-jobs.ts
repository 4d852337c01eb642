// The issuer's jobs and their request tokens: start, find, heartbeat. Ends and events are issuer-events' business.
import type { IssuerStore, Job, RequestToken } from '../../issuer/store.ts';
import { decodeJob, decodeRequestToken, encodeJob, encodeRequestToken, JOB_COLUMNS } from '../rows/jobs.ts';
import { integer } from '../rows/row.ts';
import { RAISE_MARK } from './beginning.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { exclusive, shared } from './locks.ts';
import type { Transaction } from './transaction.ts';

const INSERT = statement(`
  INSERT INTO job (${JOB_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (controller, idempotency_key) DO NOTHING`);
const FIND_BY_KEY = statement(`SELECT ${JOB_COLUMNS} FROM job WHERE controller = $1 AND idempotency_key = $2`);
const INSERT_TOKEN = statement('INSERT INTO request_token (hash, job_id, audiences) VALUES ($1, $2, $3)');
const BEAT = statement(`
  UPDATE job SET last_heartbeat_at = greatest(last_heartbeat_at, $2) WHERE id = $1 AND ended_at IS NULL`);
const OVERDUE = statement(`
  SELECT ${JOB_COLUMNS} FROM job WHERE ended_at IS NULL AND due_at < $1 ORDER BY due_at, id LIMIT $2`);

/** Looks a job up, inside a transaction or on its own. */
export const FIND_JOB = statement(`SELECT ${JOB_COLUMNS} FROM job WHERE id = $1`);

type JobMethods = Pick<IssuerStore, 'startJob' | 'findJob' | 'heartbeat' | 'listOverdueJobs'>;

/** Start, find, heartbeat and overdue jobs. */
export const issuerJobs = (database: PostgresDatabase): JobMethods => ({
  startJob: (job, token) =>
    database.write({
      locks: [exclusive('start', job.controller, job.idempotencyKey), shared('beginning')],
      run: (transaction) => start(transaction, job, token),
    }),
  findJob: async (id) => (await database.read(FIND_JOB, [id])).map(decodeJob)[0],
  heartbeat: (jobId, at) =>
    database.write({
      locks: [exclusive('job', jobId)],
      run: async (transaction) => (await transaction.query(BEAT, [jobId, at])).count === 1,
    }),
  listOverdueJobs: async (now, limit) => (await database.read(OVERDUE, [now, limit])).map(decodeJob),
});

async function start(transaction: Transaction, job: Job, token: RequestToken): ReturnType<IssuerStore['startJob']> {
  const row = encodeJob(job);
  const inserted = await transaction.query(INSERT, [
    ...[row.id, row.controller, row.idempotencyKey, row.requestDigest, row.facts, row.audiences, row.startedAt],
    ...[row.deadline, row.heartbeatSeconds, row.lastHeartbeatAt, row.endedAt, row.endReason],
  ]);
  if (inserted.count === 1) {
    await Promise.all([insertToken(transaction, token), transaction.query(RAISE_MARK, [job.startedAt])]);
    return { created: true, job };
  }
  const [first] = (await transaction.query(FIND_BY_KEY, [job.controller, job.idempotencyKey])).rows;
  // The insert conflicted on exactly this key, under the lock.
  if (first === undefined) throw new TypeError('a conflicting job has no row');
  return { created: false, job: decodeJob(first) };
}

function insertToken(transaction: Transaction, token: RequestToken): Promise<unknown> {
  const { audiences, hash, jobId } = encodeRequestToken(token);
  return transaction.query(INSERT_TOKEN, [hash, jobId, audiences]);
}

const HELD = statement(`
  SELECT (SELECT count(*) FROM job WHERE id = $1 AND ended_at IS NULL) AS running,
    (SELECT count(*) FROM request_token WHERE job_id = $1) AS held`);
const FIND_TOKEN = statement('SELECT hash, job_id, audiences FROM request_token WHERE hash = $1');

type RequestTokenMethods = Pick<IssuerStore, 'addRequestToken' | 'findRequestToken'>;

/** Request tokens besides the first. */
export const issuerRequestTokens = (database: PostgresDatabase): RequestTokenMethods => ({
  addRequestToken: (token, max) =>
    database.write({
      locks: [exclusive('job', token.jobId)],
      run: async (transaction) => {
        const held = (await transaction.query(HELD, [token.jobId])).rows[0] ?? {};
        if (integer(held, 'running') === 0) return 'job_ended';
        if (integer(held, 'held') >= max) return 'too_many';
        await insertToken(transaction, token);
        return 'added';
      },
    }),
  findRequestToken: async (hash) => (await database.read(FIND_TOKEN, [hash])).map(decodeRequestToken)[0],
});
