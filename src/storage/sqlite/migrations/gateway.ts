// Owns the schema of a gateway's database: its keys and what was done with them. Steps are appended; released ones never change.
import type { Schema } from '../migrate.ts';
import { AUDIT_TABLES } from './audit.ts';
import { KEY_TABLE, RING_VERSIONS } from './keys.ts';

export const GATEWAY_SCHEMA: Schema = {
  kind: 'gateway',
  applicationId: 0x4a504757, // "JPGW"
  migrations: [
    { version: 1, name: 'keys', sql: KEY_TABLE },
    { version: 2, name: 'versions of key rings', sql: RING_VERSIONS },
    { version: 3, name: 'audit chains', sql: AUDIT_TABLES },
  ],
};
