// Owns the schema of a gateway: its keys and their audit chain. Steps are appended; released ones never change.
import type { Schema } from '../migrate.ts';
import { AUDIT_TABLES } from './audit.ts';
import { KEY_TABLES } from './keys.ts';

/** The steps of a gateway’s schema. */
export const GATEWAY_SCHEMA: Schema = {
  kind: 'gateway',
  name: 'jobpass_gateway',
  migrations: [{ version: 1, name: 'keys and audit chains', sql: KEY_TABLES + AUDIT_TABLES }],
};
