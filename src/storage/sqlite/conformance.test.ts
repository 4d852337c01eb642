import { sqliteEngine, sqliteStsEngine } from '../../../test/fakes/sqlite-engine.ts';
import { issuerStoreConformance, keyStoreConformance, stsStoreConformance } from '../conformance.ts';
import { openSqliteIssuer, openSqliteKeys, openSqliteSts } from './open.ts';

keyStoreConformance(sqliteEngine(openSqliteIssuer));
keyStoreConformance(sqliteEngine(openSqliteSts));
keyStoreConformance(sqliteEngine(openSqliteKeys));
issuerStoreConformance(sqliteEngine(openSqliteIssuer));
stsStoreConformance(sqliteStsEngine(openSqliteSts));
