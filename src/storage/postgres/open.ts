// Puts the adapters together: one schema per server. The only door to this folder for the rest of the program.
import type { AuditStore } from '../../base/audit/store.ts';
import type { IssuerStore } from '../../issuer/store.ts';
import type { KeyStore } from '../../keys/store.ts';
import type { StsStore } from '../../sts/store.ts';
import type { PostgresLocation } from '../location.ts';
import { postgresAuditStore } from './audit.ts';
import { storeBeginning } from './beginning.ts';
import { openDatabase, type PostgresDatabase } from './database.ts';
import { issuerBeginning, issuerEnds, issuerEvents, issuerTokens } from './issuer-events.ts';
import { issuerJobs, issuerRequestTokens } from './issuer-jobs.ts';
import { postgresKeyStore } from './keys.ts';
import { GATEWAY_SCHEMA } from './migrations/gateway.ts';
import { ISSUER_SCHEMA } from './migrations/issuer.ts';
import { STS_SCHEMA } from './migrations/sts.ts';
import { issuerPruning, stsPruning } from './prune.ts';
import { stsBurials, stsEpochs, stsRevocations } from './sts-ends.ts';
import { stsGrants } from './sts-grants.ts';
import { stsDecisions, stsIdentity, stsSessions } from './sts-lookups.ts';
import { stsBeginning, stsPolicies } from './sts-policies.ts';

/** An open store; `close` commits what waits, and may be called twice. */
export interface Closable {
  close(): Promise<void>;
}

/** The issuer's port on an open database. */
const issuerStoreOn = (database: PostgresDatabase): IssuerStore => ({
  ...issuerJobs(database),
  ...issuerRequestTokens(database),
  ...issuerTokens(database),
  ...issuerEnds(database),
  ...issuerEvents(database),
  ...issuerPruning(database),
  ...storeBeginning(database),
  ...issuerBeginning(database),
});

/** The STS's port on an open database. */
export const stsStoreOn = (database: PostgresDatabase): StsStore => ({
  ...stsGrants(database),
  ...stsBurials(database),
  ...stsRevocations(database),
  ...stsEpochs(database),
  ...stsSessions(database),
  ...stsDecisions(database),
  ...stsIdentity(database),
  ...stsPruning(database),
  ...stsPolicies(database),
  ...storeBeginning(database),
  ...stsBeginning(database),
});

/** What every server's database has. */
const commonStoresOn = (database: PostgresDatabase): KeyStore & AuditStore & Closable => ({
  ...postgresKeyStore(database),
  ...postgresAuditStore(database),
  close: () => database.close(),
});

/**
 * Opens, or makes, the issuer's schema. Rejects with ERR_STORE_SCHEMA or ERR_STORE_UNAVAILABLE, each with a hint where there is
 * a next step.
 */
export async function openPostgresIssuer(
  location: PostgresLocation,
): Promise<IssuerStore & KeyStore & AuditStore & Closable> {
  const database = await openDatabase(location, ISSUER_SCHEMA);
  return { ...issuerStoreOn(database), ...commonStoresOn(database) };
}

/** Opens, or makes, the STS's schema. Rejects as `openPostgresIssuer` does. */
export async function openPostgresSts(
  location: PostgresLocation,
): Promise<StsStore & KeyStore & AuditStore & Closable> {
  const database = await openDatabase(location, STS_SCHEMA);
  return { ...stsStoreOn(database), ...commonStoresOn(database) };
}

/** Opens, or makes, a gateway's schema, which holds its keys. Rejects as `openPostgresIssuer` does. */
export async function openPostgresKeys(location: PostgresLocation): Promise<KeyStore & AuditStore & Closable> {
  return commonStoresOn(await openDatabase(location, GATEWAY_SCHEMA));
}
