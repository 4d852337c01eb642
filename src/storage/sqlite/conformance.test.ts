import { sqliteEngine, sqliteStsEngine } from '../../../test/fakes/sqlite-engine.ts';
import {
  auditStoreConformance,
  issuerBeginningConformance,
  issuerStoreConformance,
  keyAuditConformance,
  keyStoreConformance,
  stsAuditConformance,
  stsBeginningConformance,
  stsPolicyConformance,
  stsStoreConformance,
} from '../conformance.ts';
import { openSqliteIssuer, openSqliteKeys, openSqliteSts } from './open.ts';

keyStoreConformance(sqliteEngine(openSqliteIssuer));
keyStoreConformance(sqliteEngine(openSqliteSts));
keyStoreConformance(sqliteEngine(openSqliteKeys));
auditStoreConformance(sqliteEngine(openSqliteIssuer));
auditStoreConformance(sqliteEngine(openSqliteSts));
auditStoreConformance(sqliteEngine(openSqliteKeys));
keyAuditConformance(sqliteEngine(openSqliteIssuer));
keyAuditConformance(sqliteEngine(openSqliteSts));
keyAuditConformance(sqliteEngine(openSqliteKeys));
issuerStoreConformance(sqliteEngine(openSqliteIssuer));
stsStoreConformance(sqliteStsEngine(openSqliteSts));
stsPolicyConformance(sqliteEngine(openSqliteSts));
stsBeginningConformance(sqliteEngine(openSqliteSts));
issuerBeginningConformance(sqliteEngine(openSqliteIssuer));
stsAuditConformance(sqliteEngine(openSqliteSts));
