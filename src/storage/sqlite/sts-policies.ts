// The policies that replicas share: sets by their content, files by theirs, and which set is active.
import { hash } from 'node:crypto';
import { encodeRecord } from '../../base/audit/record.ts';
import type { PolicyFile, StsStore } from '../../sts/store.ts';
import { FORGET_POLICIES } from '../rows/policies.ts';
import { bytes, integer, text } from '../rows/row.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';

type PolicyMethods = Pick<StsStore, 'activePolicies' | 'loadPolicies' | 'wasActive' | 'activatePolicies'>;

/** The port's part about shared policies. */
export function stsPolicies(database: SqliteDatabase, chain: AuditChain): PolicyMethods {
  const active = database.prepare('SELECT version, id FROM policy_active WHERE only_row = 1');
  const known = database.prepare('SELECT 1 FROM policy_set WHERE id = ?');
  const activate = activating(database);
  const load = loading(database);
  const findActive = () => {
    const row = active.get();
    return row === undefined ? undefined : { version: integer(row, 'version'), id: text(row, 'id') };
  };
  return {
    activePolicies: () => database.read(findActive),
    wasActive: (id) => database.read(() => known.get(id) !== undefined),
    loadPolicies: (id) => database.read(() => load(id)),
    activatePolicies: async ({ expectedVersion, files, id, record }) => {
      const entry = encodeRecord(record);
      return database.write(() => {
        if ((findActive()?.version ?? 0) !== expectedVersion) return false;
        activate(id, expectedVersion + 1, files);
        chain.append(entry);
        return true;
      });
    },
  };
}

function loading(database: SqliteDatabase): (id: string) => readonly PolicyFile[] | undefined {
  const hasFiles = database.prepare('SELECT has_files FROM policy_set WHERE id = ?');
  const files = database.prepare(`
    SELECT path, bytes FROM policy_set_file JOIN policy_blob USING (digest) WHERE set_id = ? ORDER BY path`);
  return (id) =>
    hasFiles.get(id)?.has_files === 1
      ? files.all(id).map((row) => ({ path: text(row, 'path'), bytes: bytes(row, 'bytes') }))
      : undefined;
}

/** Inside an open transaction. */
function activating(database: SqliteDatabase): (id: string, version: number, files: readonly PolicyFile[]) => void {
  const insertSet = database.prepare(`
    INSERT INTO policy_set (id, version, has_files) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET version = excluded.version, has_files = 1`);
  const insertBlob = database.prepare('INSERT INTO policy_blob (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const insertFile = database.prepare(
    'INSERT INTO policy_set_file (set_id, path, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const swap = database.prepare(`
    INSERT INTO policy_active (only_row, version, id) VALUES (1, $version, $id)
    ON CONFLICT DO UPDATE SET version = excluded.version, id = excluded.id`);
  const forget = FORGET_POLICIES.map((sql) => database.prepare(sql));
  return (id, version, files) => {
    insertSet.run(id, version);
    for (const file of files) {
      const digest = hash('sha256', file.bytes);
      insertBlob.run(digest, file.bytes);
      insertFile.run(id, file.path, digest);
    }
    swap.run({ id, version });
    for (const statement of forget) statement.run();
  };
}
