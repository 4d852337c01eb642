// The issuer's mints, the ends of jobs and the events that tell of them, and forgetting. Jobs start in issuer-jobs.
import { type EventReader, type IssuerStore, MAX_RECEIVERS } from '../../issuer/store.ts';
import { decodeAudience, decodeEvent, decodeToken, eventId, SLACK_SECONDS } from '../rows/jobs.ts';
import { integer, text } from '../rows/row.ts';
import type { SqliteDatabase } from './database.ts';
import { jobFinder } from './issuer-jobs.ts';
import { markRaiser } from './mark.ts';

type TokenMethods = Pick<IssuerStore, 'recordToken' | 'findToken' | 'listAudiences'>;

/** What was minted. */
export function issuerTokens(database: SqliteDatabase): TokenMethods {
  const insert = database.prepare(`
    INSERT INTO issued_token (jti, job_id, audience, expires_at)
    SELECT $jti, $jobId, $audience, $expiresAt
    WHERE EXISTS (SELECT 1 FROM job WHERE id = $jobId AND ended_at IS NULL)`);
  const remember = database.prepare(`
    INSERT INTO job_audience (job_id, audience) VALUES (?, ?) ON CONFLICT DO NOTHING`);
  const find = database.prepare('SELECT jti, job_id, audience, expires_at FROM issued_token WHERE jti = ?');
  const audiences = database.prepare(`
    SELECT audience, (SELECT max(expires_at) FROM issued_token
      WHERE job_id = job_audience.job_id AND audience = job_audience.audience) AS tokens_until
    FROM job_audience WHERE job_id = ? ORDER BY audience`);
  return {
    listAudiences: (jobId) => database.read(() => audiences.all(jobId).map(decodeAudience)),
    recordToken: (token) => {
      const row = { ...token };
      return database.write(() => {
        if (insert.run(row).changes !== 1) return false;
        remember.run(token.jobId, token.audience);
        return true;
      });
    },
    findToken: (jti) =>
      database.read(() => {
        const row = find.get(jti);
        return row === undefined ? undefined : decodeToken(row);
      }),
  };
}

type JobEnd = Parameters<IssuerStore['endJob']>[1];

/** Ends a job that runs, once, and queues its events, inside an open transaction. */
export function jobEnder(database: SqliteDatabase): (jobId: string, end: JobEnd) => void {
  const end = database.prepare('UPDATE job SET ended_at = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL');
  const audiences = database.prepare('SELECT audience FROM job_audience WHERE job_id = ? ORDER BY audience');
  const queue = database.prepare(`
    INSERT INTO job_ended_event (id, job_id, audience, ended_at, reason, expires_at) VALUES (?, ?, ?, ?, ?, ?)`);
  return (jobId, { at, eventExpiresAt, reason }) => {
    if (end.run(at, reason, jobId).changes !== 1) return;
    for (const row of audiences.all(jobId)) {
      const audience = text(row, 'audience');
      queue.run(eventId(jobId, audience), jobId, audience, at, reason, eventExpiresAt);
    }
  };
}

/** Ends of jobs. */
export function issuerEnds(database: SqliteDatabase): Pick<IssuerStore, 'endJob'> {
  const findJob = jobFinder(database);
  const endJob = jobEnder(database);
  const raiseMark = markRaiser(database);
  return {
    endJob: (jobId, end) =>
      database.write(() => {
        endJob(jobId, end);
        raiseMark(end.at);
        return findJob(jobId);
      }),
  };
}

/** Moves a reader's floor over every event of the audience that it has acknowledged without a gap. */
function floorRaiser(database: SqliteDatabase): (reader: number, audience: string) => void {
  const find = database.prepare('SELECT sequence FROM reader_floor WHERE reader = ? AND audience = ?');
  // Writes are one after the other, so an event that comes later has a higher sequence than any seen here.
  const next = database.prepare(`
    SELECT coalesce(
      (SELECT min(sequence) - 1 FROM job_ended_event AS event
        WHERE audience = $audience AND sequence > $floor AND NOT EXISTS (
          SELECT 1 FROM reader_acknowledgement AS ack WHERE ack.reader = $reader AND ack.sequence = event.sequence)),
      (SELECT max(sequence) FROM job_ended_event WHERE audience = $audience),
      $floor) AS sequence`);
  const raise = database.prepare(`
    INSERT INTO reader_floor (reader, audience, sequence) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)`);
  const tidy = database.prepare(`
    DELETE FROM reader_acknowledgement WHERE reader = $reader AND sequence IN (
      SELECT sequence FROM job_ended_event WHERE audience = $audience AND sequence > $from AND sequence <= $to)`);
  return (reader, audience) => {
    const found = find.get(reader, audience);
    const from = found === undefined ? 0 : integer(found, 'sequence');
    const to = integer(next.get({ reader, audience, floor: from }) ?? {}, 'sequence');
    raise.run(reader, audience, to);
    tidy.run({ reader, audience, from, to });
  };
}

/** The row of a reader that acknowledges now; the least recent ones of its client beyond the bound are forgotten. */
function readerKeeper(database: SqliteDatabase): (reader: EventReader) => number {
  // `WHERE true` tells SQLite's parser that ON CONFLICT is no join condition.
  const keep = database.prepare(`
    INSERT INTO event_reader (client, receiver, used)
    SELECT $client, $receiver, coalesce(max(used), 0) + 1 FROM event_reader WHERE true
    ON CONFLICT (client, receiver) DO UPDATE SET used = excluded.used RETURNING id`);
  const forget = database.prepare(`
    DELETE FROM event_reader WHERE client = $client AND id NOT IN (
      SELECT id FROM event_reader WHERE client = $client ORDER BY used DESC LIMIT ${MAX_RECEIVERS})`);
  return ({ client, receiver }) => {
    const id = integer(keep.get({ client, receiver }) ?? {}, 'id');
    forget.run({ client });
    return id;
  };
}

type EventMethods = Pick<IssuerStore, 'listEvents' | 'acknowledgeEvents'>;

/** Delivery of events. */
export function issuerEvents(database: SqliteDatabase): EventMethods {
  const raiseFloor = floorRaiser(database);
  const keepReader = readerKeeper(database);
  // A reader that never acknowledged has no row: nothing equals its null, so it has neither floor nor acknowledgement.
  const list = database.prepare(`
    WITH known AS (SELECT (SELECT id FROM event_reader WHERE client = $client AND receiver = $receiver) AS reader)
    SELECT event.sequence, event.id, event.job_id, event.audience, event.ended_at, event.reason
    FROM known CROSS JOIN (SELECT DISTINCT value AS audience FROM json_each($audiences)) AS wanted
    CROSS JOIN job_ended_event AS event ON event.audience = wanted.audience AND event.sequence > coalesce(
      (SELECT sequence FROM reader_floor WHERE reader = known.reader AND audience = wanted.audience), 0)
    WHERE NOT EXISTS (
      SELECT 1 FROM reader_acknowledgement AS ack WHERE ack.reader = known.reader AND ack.sequence = event.sequence)
    ORDER BY event.sequence LIMIT $limit`);
  const acknowledge = database.prepare(`
    INSERT INTO reader_acknowledgement (reader, sequence)
    SELECT $reader, sequence FROM job_ended_event WHERE id IN (SELECT value FROM json_each($ids))
    ON CONFLICT DO NOTHING`);
  const touched = database.prepare(`
    SELECT DISTINCT audience FROM job_ended_event WHERE id IN (SELECT value FROM json_each(?))`);
  return {
    listEvents: ({ client, receiver }, audiences, limit) =>
      database.read(() => list.all({ client, receiver, audiences: JSON.stringify(audiences), limit }).map(decodeEvent)),
    acknowledgeEvents: (from, eventIds) => {
      const ids = JSON.stringify(eventIds);
      return database.write(() => {
        const reader = keepReader(from);
        acknowledge.run({ reader, ids });
        for (const row of touched.all(ids)) raiseFloor(reader, text(row, 'audience'));
      });
    },
  };
}

/** Forgetting: tokens, then events, then ended jobs that nothing speaks of any more. */
export function issuerPruning(database: SqliteDatabase): Pick<IssuerStore, 'prune'> {
  const raiseMark = markRaiser(database);
  const tokens = database.prepare('DELETE FROM issued_token WHERE expires_at < ?');
  const events = database.prepare('DELETE FROM job_ended_event WHERE expires_at < ?');
  const jobs = database.prepare(`
    DELETE FROM job WHERE ended_at IS NOT NULL AND deadline < ?
      AND NOT EXISTS (SELECT 1 FROM issued_token WHERE job_id = job.id)
      AND NOT EXISTS (SELECT 1 FROM job_ended_event WHERE job_id = job.id)`);
  return {
    prune: (now) =>
      database.write(() => {
        raiseMark(now);
        tokens.run(now - SLACK_SECONDS);
        events.run(now);
        jobs.run(now - SLACK_SECONDS);
      }),
  };
}
