// Puts the adapters together: one database file per server. The only door to this folder for the rest of the program.

import type { AuditStore } from '../../base/audit/store.ts';
import type { IssuerStore } from '../../issuer/store.ts';
import type { KeyStore } from '../../keys/store.ts';
import type { StsStore } from '../../sts/store.ts';
import { sqliteAuditStore } from './audit.ts';
import { AuditChain } from './audit-chain.ts';
import { storeBeginning } from './beginning.ts';
import { openDatabase, type SqliteDatabase, type SqliteLocation } from './database.ts';
import { issuerBeginning } from './issuer-beginning.ts';
import { issuerEnds, issuerEvents, issuerPruning, issuerTokens } from './issuer-events.ts';
import { issuerJobs, issuerRequestTokens } from './issuer-jobs.ts';
import { sqliteKeyStore } from './keys.ts';
import { GATEWAY_SCHEMA } from './migrations/gateway.ts';
import { ISSUER_SCHEMA } from './migrations/issuer.ts';
import { STS_SCHEMA } from './migrations/sts.ts';
import { stsBeginning } from './sts-beginning.ts';
import { stsDecisions } from './sts-decisions.ts';
import { stsEpochs } from './sts-epochs.ts';
import { stsBurials, stsGrants, stsPruning } from './sts-grants.ts';
import { stsIdentity } from './sts-identity.ts';
import { stsPolicies } from './sts-policies.ts';
import { stsRevocations } from './sts-revocations.ts';
import { stsSessions } from './sts-sessions.ts';

/** An open store; `close` commits what waits, and may be called twice. */
export interface Closable {
  close(): Promise<void>;
}

/** The issuer's port on an open database, whose records `chain` writes. */
const issuerStoreOn = (database: SqliteDatabase, chain: AuditChain): IssuerStore => ({
  ...issuerJobs(database),
  ...issuerRequestTokens(database),
  ...issuerTokens(database),
  ...issuerEnds(database),
  ...issuerEvents(database),
  ...issuerPruning(database),
  ...storeBeginning(database),
  ...issuerBeginning(database, chain),
});

/** The STS's port on an open database, whose records `chain` writes. */
export const stsStoreOn = (database: SqliteDatabase, chain: AuditChain): StsStore => ({
  ...stsGrants(database, chain),
  ...stsBurials(database, chain),
  ...stsRevocations(database, chain),
  ...stsEpochs(database, chain),
  ...stsSessions(database),
  ...stsDecisions(database, chain),
  ...stsIdentity(database),
  ...stsPruning(database),
  ...stsPolicies(database, chain),
  ...stsBeginning(database, chain),
  ...storeBeginning(database),
});

/** What every server's database has. */
const commonStoresOn = (database: SqliteDatabase, chain: AuditChain): KeyStore & AuditStore & Closable => ({
  ...sqliteKeyStore(database, chain),
  ...sqliteAuditStore(database, chain),
  close: () => database.close(),
});

/**
 * Opens, or makes, the issuer's database. Rejects with ERR_STORE_PERMISSIONS, ERR_STORE_CORRUPT, ERR_STORE_SCHEMA or
 * ERR_STORE_UNAVAILABLE, each with a hint where there is a next step.
 */
export async function openSqliteIssuer(
  location: SqliteLocation,
): Promise<IssuerStore & KeyStore & AuditStore & Closable> {
  const database = openDatabase(location, ISSUER_SCHEMA);
  const chain = new AuditChain(database);
  return { ...issuerStoreOn(database, chain), ...commonStoresOn(database, chain) };
}

/** Opens, or makes, the STS's database. Rejects as `openSqliteIssuer` does. */
export async function openSqliteSts(location: SqliteLocation): Promise<StsStore & KeyStore & AuditStore & Closable> {
  const database = openDatabase(location, STS_SCHEMA);
  const chain = new AuditChain(database);
  return { ...stsStoreOn(database, chain), ...commonStoresOn(database, chain) };
}

/** Opens, or makes, a gateway's database, which holds its keys. Rejects as `openSqliteIssuer` does. */
export async function openSqliteKeys(location: SqliteLocation): Promise<KeyStore & AuditStore & Closable> {
  const database = openDatabase(location, GATEWAY_SCHEMA);
  return commonStoresOn(database, new AuditChain(database));
}
