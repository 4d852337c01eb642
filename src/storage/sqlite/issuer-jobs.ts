// The issuer's jobs and their request tokens: start, find, heartbeat, end. Events are issuer-events' business.

import type { IssuerStore, Job } from '../../issuer/store.ts';
import { decodeJob, decodeRequestToken, encodeJob, encodeRequestToken, JOB_COLUMNS } from '../rows/jobs.ts';
import { integer } from '../rows/row.ts';
import type { SqliteDatabase } from './database.ts';
import { markRaiser } from './mark.ts';

/** Looks a job up inside a transaction or on its own. */
export function jobFinder(database: SqliteDatabase): (id: string) => Job | undefined {
  const find = database.prepare(`SELECT ${JOB_COLUMNS} FROM job WHERE id = ?`);
  return (id) => {
    const row = find.get(id);
    return row === undefined ? undefined : decodeJob(row);
  };
}

type JobMethods = Pick<IssuerStore, 'startJob' | 'findJob' | 'heartbeat' | 'listOverdueJobs'>;

/** Start, find, heartbeat and overdue jobs. */
export function issuerJobs(database: SqliteDatabase): JobMethods {
  const findJob = jobFinder(database);
  const raiseMark = markRaiser(database);
  const insert = database.prepare(`
    INSERT INTO job (${JOB_COLUMNS})
    VALUES ($id, $controller, $idempotencyKey, $requestDigest, $facts, $audiences, $startedAt, $deadline,
      $heartbeatSeconds, $lastHeartbeatAt, $endedAt, $endReason)
    ON CONFLICT (controller, idempotency_key) DO NOTHING`);
  const findByKey = database.prepare(`
    SELECT ${JOB_COLUMNS} FROM job WHERE controller = ? AND idempotency_key = ?`);
  const insertToken = database.prepare(
    'INSERT INTO request_token (hash, job_id, audiences) VALUES ($hash, $jobId, $audiences)',
  );
  const beat = database.prepare(`
    UPDATE job SET last_heartbeat_at = max(last_heartbeat_at, ?) WHERE id = ? AND ended_at IS NULL`);
  const overdue = database.prepare(`
    SELECT ${JOB_COLUMNS} FROM job WHERE ended_at IS NULL AND due_at < ? ORDER BY due_at, id LIMIT ?`);
  return {
    startJob: (job, token) => {
      const jobRow = encodeJob(job);
      const tokenRow = encodeRequestToken(token);
      return database.write(() => {
        if (insert.run(jobRow).changes === 1) {
          insertToken.run(tokenRow);
          raiseMark(job.startedAt);
          return { created: true, job };
        }
        const first = findByKey.get(job.controller, job.idempotencyKey);
        // The insert conflicted on exactly this key, inside this transaction.
        if (first === undefined) throw new TypeError('a conflicting job has no row');
        return { created: false, job: decodeJob(first) };
      });
    },
    findJob: (id) => database.read(() => findJob(id)),
    heartbeat: (jobId, at) => database.write(() => beat.run(at, jobId).changes === 1),
    listOverdueJobs: (now, limit) => database.read(() => overdue.all(now, limit).map(decodeJob)),
  };
}

type RequestTokenMethods = Pick<IssuerStore, 'addRequestToken' | 'findRequestToken'>;

/** Request tokens besides the first. */
export function issuerRequestTokens(database: SqliteDatabase): RequestTokenMethods {
  const isRunning = database.prepare('SELECT 1 FROM job WHERE id = ? AND ended_at IS NULL');
  const count = database.prepare('SELECT count(*) AS count FROM request_token WHERE job_id = ?');
  const insert = database.prepare(
    'INSERT INTO request_token (hash, job_id, audiences) VALUES ($hash, $jobId, $audiences)',
  );
  const find = database.prepare('SELECT hash, job_id, audiences FROM request_token WHERE hash = ?');
  return {
    addRequestToken: (token, max) => {
      const row = encodeRequestToken(token);
      return database.write(() => {
        if (isRunning.get(token.jobId) === undefined) return 'job_ended';
        const held = count.get(token.jobId);
        if (held === undefined || integer(held, 'count') >= max) return 'too_many';
        insert.run(row);
        return 'added';
      });
    },
    findRequestToken: (hash) =>
      database.read(() => {
        const row = find.get(hash);
        return row === undefined ? undefined : decodeRequestToken(row);
      }),
  };
}
