// kill -9 of a granting process: what was answered is there, what is there is whole.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Finding } from '../../src/base/audit/report.ts';
import type { AuditStore } from '../../src/base/audit/store.ts';
import { AuditVerifier } from '../../src/base/audit/verify.ts';
import {
  grantedRecord,
  grantOf,
  ISSUER,
  NOW,
  refusedRecord,
  sessionOf,
} from '../../src/storage/conformance/fixtures.ts';
import { openSqliteSts } from '../../src/storage/sqlite/open.ts';
import type { StsStore } from '../../src/sts/store.ts';
import { temporaryFolder } from '../fakes/sqlite-engine.ts';

const ROUNDS = 20;
const LONGEST_LIFE_MS = 80;
const CHILD = fileURLToPath(new URL('./grant-load.ts', import.meta.url));

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'sts.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Acknowledgement {
  readonly what: string;
  readonly name: string;
}

/** Runs a child until a random moment after its first answer, kills it, and gives back all that it had answered. */
function killAtRandomPoint(prefix: string): Promise<readonly Acknowledgement[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, path, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * LONGEST_LIFE_MS));
    child.stdout.on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('close', (_, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the child ended by itself (${signal})`));
      const whole = text.slice(0, text.lastIndexOf('\n'));
      resolve(whole.split('\n').map((line) => ({ what: line.split(' ')[0] ?? '', name: line.split(' ')[1] ?? '' })));
    });
  });
}

/** Facts about the whole file that no port shows. */
function inspect(): { readonly integrity: unknown; readonly torn: unknown; readonly survivors: unknown } {
  const raw = new DatabaseSync(path, { readOnly: true });
  try {
    const value = (sql: string) => Object.values(raw.prepare(sql).get() ?? {})[0];
    return {
      integrity: value('PRAGMA integrity_check'),
      torn: value(`
        SELECT count(*) FROM (
          SELECT id, json_extract(body, '$.outcome') AS outcome FROM audit_entry WHERE kind = 'decision'
        ) AS decision FULL JOIN session ON session.decision_id = decision.id
        WHERE (decision.outcome = 'granted') IS NOT (session.id IS NOT NULL)`),
      survivors: value(`
        SELECT count(*) FROM session JOIN tombstone USING (issuer, job_id)
        WHERE session.id NOT IN (SELECT session_id FROM ended_session)`),
    };
  } finally {
    raw.close();
  }
}

async function expectKept(store: StsStore, answered: readonly Acknowledgement[]): Promise<void> {
  const buried = new Set(answered.filter(({ what }) => what === 'buried').map(({ name }) => name));
  for (const { what, name } of answered) {
    if (what === 'granted') {
      expect(await store.findDecisions(`D${name}`)).toStrictEqual([grantedRecord(name)]);
      // A burial may have been committed and not yet answered; its session is then rightly gone.
      const gone = buried.has(name) || (await store.isBuried(ISSUER, `J${name}`));
      expect(await store.findSession(`S${name}`)).toStrictEqual(gone ? undefined : sessionOf(name));
    } else if (what === 'buried') {
      expect(await store.isBuried(ISSUER, `J${name}`)).toBe(true);
    } else {
      expect(what).toBe('refused');
      expect(await store.findDecisions(`D${name}`)).toStrictEqual([refusedRecord(name)]);
    }
  }
}

/** What the check of the audit chains finds. */
async function flaws(store: AuditStore): Promise<readonly Finding[]> {
  const heads = await store.listHeads();
  const verifier = new AuditVerifier({ heads, checkpoints: [], from: [] });
  for (const { writer } of heads) {
    for (let after = 0; ; ) {
      const entries = await store.listEntries(writer, after, 500);
      for (const entry of entries) verifier.add(entry);
      const last = entries.at(-1);
      if (last === undefined) break;
      after = last.sequence;
    }
  }
  return verifier.finish(heads).findings;
}

test(`after kill -9 at ${ROUNDS} random points the database opens and every answered grant is in it, in a whole chain`, async () => {
  let answers = 0;
  let uses = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const answered = await killAtRandomPoint(`r${round}`);
    answers += answered.length;
    const store = await openSqliteSts({ path });
    await expectKept(store, answered);
    for (const { what, name } of answered) {
      const number = Number(name.split('-')[1]);
      if (what !== 'granted' || number % 4 !== 0) continue;
      uses += 1;
      const again = grantOf(`${name}again`, { uses: [{ exp: NOW + 600, iss: ISSUER, jti: `jti-${name}` }] });
      expect(await store.grant(again)).toBe('token_replayed');
    }
    expect(await flaws(store)).toEqual([]);
    await store.close();
    expect(inspect()).toEqual({ integrity: 'ok', torn: 0, survivors: 0 });
  }
  // The load was real: without this, a child that answers nothing would pass.
  expect(answers).toBeGreaterThan(ROUNDS * 20);
  expect(uses).toBeGreaterThan(ROUNDS);
});
