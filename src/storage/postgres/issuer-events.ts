// The issuer's mints, the ends of jobs and the events that tell of them. Jobs start in issuer-jobs.
import { encodeRecord } from '../../base/audit/record.ts';
import { type EventReader, type IssuerStore, type Job, MAX_RECEIVERS } from '../../issuer/store.ts';
import { decodeAudience, decodeEvent, decodeJob, decodeToken, eventId } from '../rows/jobs.ts';
import { integer, text } from '../rows/row.ts';
import { countBeginning, RAISE_MARK } from './beginning.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { FIND_JOB } from './issuer-jobs.ts';
import { exclusive, ordered, shared } from './locks.ts';
import type { Transaction } from './transaction.ts';

/** Whoever got a token of a job is remembered with the job; the rows of before need no lock. */
const RECORD = statement(`
  WITH minted AS (
    INSERT INTO issued_token (jti, job_id, audience, expires_at)
    SELECT $1::text, id, $3::text, $4::bigint FROM job WHERE id = $2 AND ended_at IS NULL RETURNING job_id, audience
  ), remembered AS (
    INSERT INTO job_audience (job_id, audience) SELECT job_id, audience FROM minted
    WHERE NOT EXISTS (SELECT 1 FROM job_audience WHERE job_id = $2 AND audience = $3) ON CONFLICT DO NOTHING
  ) SELECT 1 FROM minted`);
const FIND_TOKEN = statement('SELECT jti, job_id, audience, expires_at FROM issued_token WHERE jti = $1');

const AUDIENCES_OF_JOB = statement(`
  SELECT audience, (SELECT max(expires_at) FROM issued_token
    WHERE job_id = job_audience.job_id AND audience = job_audience.audience) AS tokens_until
  FROM job_audience WHERE job_id = $1 ORDER BY audience`);

type TokenMethods = Pick<IssuerStore, 'recordToken' | 'findToken' | 'listAudiences'>;

/** What was minted. */
export const issuerTokens = (database: PostgresDatabase): TokenMethods => ({
  recordToken: ({ audience, expiresAt, jobId, jti }) =>
    database.write({
      locks: [shared('job', jobId), shared('beginning')],
      run: async (transaction) => (await transaction.query(RECORD, [jti, jobId, audience, expiresAt])).count === 1,
    }),
  listAudiences: async (jobId) => (await database.read(AUDIENCES_OF_JOB, [jobId])).map(decodeAudience),
  findToken: async (jti) => (await database.read(FIND_TOKEN, [jti])).map(decodeToken)[0],
});

const END = statement('UPDATE job SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL');
const AUDIENCES = statement('SELECT audience FROM job_audience WHERE job_id = $1 ORDER BY audience');
const QUEUE = statement(`
  INSERT INTO job_ended_event (id, job_id, audience, ended_at, reason, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`);

type End = Parameters<IssuerStore['endJob']>[1];

/** Ends of jobs. */
export const issuerEnds = (database: PostgresDatabase): Pick<IssuerStore, 'endJob'> => ({
  endJob: (jobId, end) =>
    database.write({
      locks: [exclusive('job', jobId), ordered('events')],
      run: (transaction) => endJob(transaction, jobId, end),
    }),
});

async function endJob(transaction: Transaction, jobId: string, end: End): Promise<Job | undefined> {
  const { at, eventExpiresAt, reason } = end;
  const [ended, { rows }] = await Promise.all([
    transaction.query(END, [jobId, at, reason]),
    transaction.query(AUDIENCES, [jobId]),
  ]);
  if (ended.count === 1) {
    const audiences = rows.map((row) => text(row, 'audience'));
    await Promise.all(
      audiences.map((audience) =>
        transaction.query(QUEUE, [eventId(jobId, audience), jobId, audience, at, reason, eventExpiresAt]),
      ),
    );
    transaction.announce();
  }
  const [found] = await Promise.all([transaction.query(FIND_JOB, [jobId]), transaction.query(RAISE_MARK, [at])]);
  return found.rows.map(decodeJob)[0];
}

const END_ALL = statement("UPDATE job SET ended_at = $1, end_reason = 'store_restored' WHERE ended_at IS NULL");
const AUDIENCES_OF_ALL = statement(`
  SELECT job_id, audience FROM job_audience JOIN job ON job.id = job_id WHERE ended_at IS NULL ORDER BY job_id, audience`);
const QUEUE_ALL = statement(`
  INSERT INTO job_ended_event (id, job_id, audience, ended_at, reason, expires_at)
  SELECT event, job, heard_by, $4::bigint, 'store_restored', $5::bigint
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS told (event, job, heard_by, place) ORDER BY place`);

/** The port's part about beginnings that is the issuer's own. */
export const issuerBeginning = (database: PostgresDatabase): Pick<IssuerStore, 'beginAnew'> => ({
  beginAnew: async ({ eventExpiresAt, record, ...beginning }) => {
    const entry = encodeRecord(record);
    return database.write({
      locks: [exclusive('beginning'), ordered('events')],
      run: async (transaction) => {
        if (!(await countBeginning(transaction, beginning))) return undefined;
        const { rows } = await transaction.query(AUDIENCES_OF_ALL);
        const jobs = rows.map((row) => text(row, 'job_id'));
        const audiences = rows.map((row) => text(row, 'audience'));
        const events = rows.map((row) => eventId(text(row, 'job_id'), text(row, 'audience')));
        const [ended] = await Promise.all([
          transaction.query(END_ALL, [beginning.now]),
          transaction.query(QUEUE_ALL, [events, jobs, audiences, beginning.now, eventExpiresAt]),
          transaction.query(RAISE_MARK, [beginning.now]),
        ]);
        transaction.append(entry);
        transaction.announce();
        return ended.count;
      },
    });
  },
});

/** A reader that never acknowledged has no row: nothing equals its null, so it has neither floor nor acknowledgement. */
const LIST = statement(`
  WITH known AS (SELECT (SELECT id FROM event_reader WHERE client = $1 AND receiver = $2) AS reader),
    wanted AS (SELECT DISTINCT audience FROM unnest($3::text[]) AS given (audience))
  SELECT event.sequence, event.id, event.job_id, event.audience, event.ended_at, event.reason
  FROM known CROSS JOIN wanted JOIN job_ended_event AS event ON event.audience = wanted.audience COLLATE "C"
    AND event.sequence > coalesce(
      (SELECT sequence FROM reader_floor WHERE reader = known.reader AND audience = wanted.audience COLLATE "C"), 0)
  WHERE NOT EXISTS (
    SELECT 1 FROM reader_acknowledgement AS ack WHERE ack.reader = known.reader AND ack.sequence = event.sequence)
  ORDER BY event.sequence LIMIT $4`);
const KEEP_READER = statement(`
  INSERT INTO event_reader (client, receiver, used)
  SELECT $1::text, $2::text, coalesce(max(used), 0) + 1 FROM event_reader
  ON CONFLICT (client, receiver) DO UPDATE SET used = excluded.used RETURNING id`);
const FORGET_READERS = statement(`
  DELETE FROM event_reader WHERE client = $1 AND id NOT IN (
    SELECT id FROM event_reader WHERE client = $1 ORDER BY used DESC LIMIT ${MAX_RECEIVERS})`);
const ACKNOWLEDGE = statement(`
  INSERT INTO reader_acknowledgement (reader, sequence)
  SELECT $1::bigint, sequence FROM job_ended_event WHERE id = ANY ($2::text[]) ON CONFLICT DO NOTHING`);
const TOUCHED = statement('SELECT DISTINCT audience FROM job_ended_event WHERE id = ANY ($1::text[])');

type EventMethods = Pick<IssuerStore, 'listEvents' | 'acknowledgeEvents'>;

/** Delivery of events. */
export const issuerEvents = (database: PostgresDatabase): EventMethods => ({
  listEvents: async ({ client, receiver }, audiences, limit) =>
    (await database.read(LIST, [client, receiver, audiences, limit])).map(decodeEvent),
  acknowledgeEvents: (reader, eventIds) =>
    database.write({
      // A reader's floor is raised by one at a time; what is acknowledged must not be forgotten in between.
      locks: [exclusive('reader', reader.client), shared('prune')],
      run: (transaction) => acknowledge(transaction, reader, eventIds),
    }),
});

async function acknowledge(transaction: Transaction, from: EventReader, ids: readonly string[]): Promise<void> {
  const { client, receiver } = from;
  const [kept, touched] = await Promise.all([
    transaction.query(KEEP_READER, [client, receiver]),
    transaction.query(TOUCHED, [ids]),
    transaction.query(FORGET_READERS, [client]),
  ]);
  const reader = integer(kept.rows[0] ?? {}, 'id');
  const audiences = touched.rows.map((row) => text(row, 'audience'));
  await Promise.all([
    transaction.query(ACKNOWLEDGE, [reader, ids]),
    ...audiences.flatMap((audience) => raiseFloor(transaction, reader, audience)),
  ]);
}

/**
 * Over every event of the audience that was acknowledged without a gap. Events get their sequence under the lock `events`, so one that
 * comes later has a higher sequence than any seen here.
 */
const RAISE_FLOOR = statement(`
  INSERT INTO reader_floor (reader, audience, sequence)
  SELECT $1::bigint, $2::text, coalesce(
    (SELECT min(sequence) - 1 FROM job_ended_event AS event
      WHERE audience = $2 AND sequence > known.floor AND NOT EXISTS (
        SELECT 1 FROM reader_acknowledgement AS ack WHERE ack.reader = $1 AND ack.sequence = event.sequence)),
    (SELECT max(sequence) FROM job_ended_event WHERE audience = $2),
    known.floor)
  FROM (SELECT coalesce((SELECT sequence FROM reader_floor WHERE reader = $1 AND audience = $2), 0) AS floor) AS known
  ON CONFLICT (reader, audience) DO UPDATE SET sequence = greatest(reader_floor.sequence, excluded.sequence)`);
const TIDY = statement(`
  DELETE FROM reader_acknowledgement WHERE reader = $1 AND sequence IN (
    SELECT event.sequence FROM job_ended_event AS event WHERE audience = $2 AND event.sequence <= (
      SELECT sequence FROM reader_floor WHERE reader = $1 AND audience = $2))`);

const raiseFloor = (transaction: Transaction, reader: number, audience: string): readonly Promise<unknown>[] => [
  transaction.query(RAISE_FLOOR, [reader, audience]),
  transaction.query(TIDY, [reader, audience]),
];
