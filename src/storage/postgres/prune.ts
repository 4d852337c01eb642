// Owns forgetting: in portions, so that no transaction is long, and one at a time, so that replicas do not get in each other's way.

import { EPOCH_KEPT_SECONDS } from '../../base/core/limits.ts';
import type { IssuerStore } from '../../issuer/store.ts';
import type { StsStore } from '../../sts/store.ts';
import { SLACK_SECONDS as ISSUER_SLACK_SECONDS } from '../rows/jobs.ts';
import { SLACK_SECONDS } from '../rows/sessions.ts';
import { RAISE_MARK } from './beginning.ts';
import { type Statement, statement, type Value } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { exclusive } from './locks.ts';
import type { Transaction } from './transaction.ts';

/** Rows of one table in one transaction. */
const PORTION = 5000;

const portionOf = (table: string, condition: string): Statement =>
  statement(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${PORTION}))`,
  );

interface Forgetting {
  readonly statement: Statement;
  readonly values: readonly Value[];
}

/** Takes a portion of each, in their order, until there is less than a portion of every one. */
async function forget(
  database: PostgresDatabase,
  work: readonly Forgetting[],
  alongside: (transaction: Transaction) => Promise<unknown>,
): Promise<void> {
  let isMore = true;
  while (isMore) {
    isMore = await database.write({
      locks: [exclusive('prune')],
      run: async (transaction) => {
        const taken = work.map(({ statement: portion, values }) => transaction.query(portion, values));
        const [answers] = await Promise.all([Promise.all(taken), alongside(transaction)]);
        return answers.some(({ count }) => count === PORTION);
      },
    });
  }
}

const TOKENS = portionOf('issued_token', 'expires_at < $1');
const EVENTS = portionOf('job_ended_event', 'expires_at < $1');
const JOBS = portionOf(
  'job',
  `ended_at IS NOT NULL AND deadline < $1
    AND NOT EXISTS (SELECT 1 FROM issued_token WHERE job_id = job.id)
    AND NOT EXISTS (SELECT 1 FROM job_ended_event WHERE job_id = job.id)`,
);

/** Tokens, then events, then ended jobs that nothing speaks of any more. */
export const issuerPruning = (database: PostgresDatabase): Pick<IssuerStore, 'prune'> => ({
  prune: (now) => {
    const work = [
      { statement: TOKENS, values: [now - ISSUER_SLACK_SECONDS] },
      { statement: EVENTS, values: [now] },
      { statement: JOBS, values: [now - ISSUER_SLACK_SECONDS] },
    ];
    return forget(database, work, (transaction) => transaction.query(RAISE_MARK, [now]));
  },
});

const EXPIRED = [
  portionOf('token_use', 'exp < $1'),
  portionOf('tombstone', 'expires_at < $1'),
  portionOf('ended_session', 'expires_at < $1'),
  portionOf('session', 'expires_at < $1'),
];
const EPOCHS = portionOf('epoch', 'at < $1');

/** Raises the mark with the first portion: what was forgotten at `now` must not be decided on at an earlier time. */
export const stsPruning = (database: PostgresDatabase): Pick<StsStore, 'prune'> => ({
  prune: (now) => {
    const expired = EXPIRED.map((portion) => ({ statement: portion, values: [now - SLACK_SECONDS] }));
    const epochs = { statement: EPOCHS, values: [now - EPOCH_KEPT_SECONDS] };
    return forget(database, [...expired, epochs], (transaction) => transaction.query(RAISE_MARK, [now]));
  },
});
