// Opens the database that a plan names. Only the engine that is used is loaded: a server on SQLite holds no PostgreSQL driver in memory.
import type { DatabasePlan } from '../config/plan.ts';

/** The issuer's database. Rejects with a JobpassError when it cannot be had; so do all below. */
export async function openIssuerStorage(plan: DatabasePlan) {
  if (plan.kind === 'sqlite') {
    const { openSqliteIssuer } = await import('../../storage/sqlite/open.ts');
    return openSqliteIssuer({ path: plan.path });
  }
  const { openPostgresIssuer } = await import('../../storage/postgres/open.ts');
  return openPostgresIssuer(plan.location);
}

/** The STS's database. */
export async function openStsStorage(plan: DatabasePlan) {
  if (plan.kind === 'sqlite') {
    const { openSqliteSts } = await import('../../storage/sqlite/open.ts');
    return openSqliteSts({ path: plan.path });
  }
  const { openPostgresSts } = await import('../../storage/postgres/open.ts');
  return openPostgresSts(plan.location);
}

/** A gateway's database. */
export async function openGatewayStorage(plan: DatabasePlan) {
  if (plan.kind === 'sqlite') {
    const { openSqliteKeys } = await import('../../storage/sqlite/open.ts');
    return openSqliteKeys({ path: plan.path });
  }
  const { openPostgresKeys } = await import('../../storage/postgres/open.ts');
  return openPostgresKeys(plan.location);
}

/** Whether other servers may work on the same database at the same time; a SQLite file is one process's own. */
export const isShared = (plan: DatabasePlan): boolean => plan.kind === 'postgres';
