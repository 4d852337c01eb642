// The audit trail of a running STS as an operator meets it, and what `audit verify` finds when somebody changed the database by hand.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../../src/app/compose/issuer.ts';
import { startSts } from '../../src/app/compose/sts.ts';
import { loadPlan, readConfig } from '../../src/app/config/load.ts';
import { Metrics } from '../../src/app/metrics/metrics.ts';
import type { ChainHead } from '../../src/base/audit/chain.ts';
import { signCheckpoint } from '../../src/base/audit/checkpoint.ts';
import { hashClientSecret } from '../../src/base/client-auth/secret.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { actionRecord, grantOf, refusedRecord } from '../../src/storage/conformance/fixtures.ts';
import { openSqliteIssuer, openSqliteSts } from '../../src/storage/sqlite/open.ts';
import { fakeKey } from '../fakes/fake-job-issuer.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { temporaryFolder } from '../fakes/sqlite-engine.ts';
import { jobpass } from './jobpass.ts';

const SECRET = 'canary-of-an-operator';
const URL = 'http://127.0.0.1:8702';

let folder: string;
let close: () => Promise<void>;

/** An STS with an operator of everything, one of a tenant, and an anchor. */
async function serve(): Promise<() => Promise<void>> {
  const hash = hashClientSecret(new Secret(SECRET));
  const client = (name: string, may: string): string =>
    `    - { name: ${name}, secrets_sha256: ["${hash}"], may: { ${may} } }\n`;
  const config = `sts:
  url: ${URL}
  storage: sqlite:./sts.db
  admin: unix:./sts.sock
  audit: { anchor: "file:anchor" }
  keys: { encryption_key: "file:kek" }
  trusted_issuers: [{ issuer: "http://127.0.0.1:1", network: loopback }]
  clients:
${client('auditor', 'audit: true, read: [main]')}${client('reader', 'read: [main]')}`;
  writeFileSync(join(folder, 'jobpass.yaml'), config);
  const document = readConfig('jobpass.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  if (!plan.ok || plan.value.sts === null) throw new Error(JSON.stringify(plan));
  const anywhere = { ...plan.value.sts, listen: { host: '127.0.0.1', port: 0 } };
  const { close: stop } = await startSts(anywhere, {
    log: new MemoryLog(),
    limits: plan.value.limits,
    metrics: new Metrics(),
    metricsFrom: [],
    hasMetricsListener: false,
  });
  return stop;
}

/** Appends records as another replica would. */
async function append(names: readonly string[]): Promise<void> {
  const store = await openSqliteSts({ path: join(folder, 'sts.db') });
  for (const name of names) {
    if (name.startsWith('G')) await store.grant(grantOf(name));
    else if (name.startsWith('R')) await store.recordRefusal(refusedRecord(name));
    else await store.recordAction(actionRecord(name, { tenant: null }));
  }
  await store.close();
}

beforeEach(async () => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'policies/main'), { recursive: true });
  writeFileSync(join(folder, 'kek'), `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
  for (const client of ['auditor', 'reader']) {
    const credential = { socket: join(folder, 'sts.sock'), client, secret: SECRET };
    writeFileSync(join(folder, `${client}.json`), JSON.stringify(credential), { mode: 0o600 });
  }
  close = await serve();
  await append(['G1', 'R2', 'X3', 'G4']);
  // A server signs what was recorded when it ends.
  await close();
  close = await serve();
});

afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

const run = (args: readonly string[], as = 'auditor') =>
  jobpass(['audit', ...args], { folder, env: { JOBPASS_OPERATOR_FILE: `${as}.json` } });

/** Changes the database behind the server's back. */
function tamper(sql: string): void {
  const raw = new DatabaseSync(join(folder, 'sts.db'));
  raw.exec(sql);
  raw.close();
}

const verified = async (...args: readonly string[]) => {
  const { code, stdout } = await run(['verify', '--json', ...args]);
  return { code, ...JSON.parse(stdout) };
};

describe('audit verify', () => {
  test('says first that the trail is whole, and then what no checkpoint has seen yet', async () => {
    await append(['G5']);
    const { code, stdout } = await run(['verify']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^whole: \d+ records in \d+ chains of http:\/\/127\.0\.0\.1:8702\n/);
    expect(stdout).toMatch(/checkpoints: \d+, the newest of \d{4}-/);
    expect(stdout).toContain('younger than the last checkpoint');
    expect(await verified('--anchor', 'anchor')).toMatchObject({ code: 0, found: 0, uncovered: 1 });
  });

  const of = (id: string): string => `WHERE id = '${id}'`;
  test.each<[string, string, string, string | null]>([
    [
      'an edited record',
      `UPDATE audit_entry SET body = replace(body, 'release', 'x') || ' ' ${of('DG1')}`,
      'edited',
      'DG1',
    ],
    ['a column', `UPDATE audit_entry SET tenant = 'other' ${of('DG1')}`, 'index', 'DG1'],
    ['a time', `UPDATE audit_entry SET at = at - 1 ${of('DR2')}`, 'index', 'DR2'],
    ['a removed record', `DELETE FROM audit_entry ${of('DR2')}`, 'removed', null],
    ['a removed beginning', `DELETE FROM audit_entry ${of('DG1')}`, 'removed', null],
    [
      'a removed beginning that is said to be pruned',
      `UPDATE audit_writer SET pruned_sequence = 1, pruned_hash = (SELECT hash FROM audit_entry ${of('DG1')});
       DELETE FROM audit_entry ${of('DG1')}`,
      'removed',
      null,
    ],
    ['a removed end', `DELETE FROM audit_entry ${of('DG4')}`, 'cut', null],
    [
      'an end that was removed with its trace',
      `DELETE FROM audit_entry ${of('DG4')};
       UPDATE audit_writer SET sequence = 3, hash = (SELECT hash FROM audit_entry ${of('AX3')}) WHERE sequence = 4`,
      'cut',
      null,
    ],
    ['a whole chain', 'DELETE FROM audit_entry; DELETE FROM audit_writer', 'cut', null],
    ['a writer', 'DELETE FROM audit_writer', 'added', null],
    [
      'two records that changed places',
      `UPDATE audit_entry SET sequence = 90 ${of('DG1')}; UPDATE audit_entry SET sequence = 1 ${of('DR2')};
       UPDATE audit_entry SET sequence = 2 ${of('DG1')}`,
      'edited',
      'DR2',
    ],
    [
      'a forged checkpoint',
      "UPDATE audit_checkpoint SET jws = substr(jws, 1, length(jws) - 8) || 'AAAAAAAA'",
      'checkpoint',
      null,
    ],
    ['the moment of a checkpoint', 'UPDATE audit_checkpoint SET at = at - 60', 'checkpoint', null],
  ])('finds %s', async (_what, sql, flaw, id) => {
    tamper(sql);
    const report = await verified('--anchor', 'anchor');
    expect(report.code).toBe(1);
    expect(report.findings).toContainEqual(expect.objectContaining({ flaw, id }));
    const { stdout } = await run(['verify', '--anchor', 'anchor']);
    expect(stdout).toMatch(/^\d+ problems with /);
    expect(stdout).toContain(`✗ ${flaw}`);
  });

  test('finds by the anchor alone what somebody removed together with the checkpoint that saw it', async () => {
    tamper('DELETE FROM audit_entry; DELETE FROM audit_writer; DELETE FROM audit_checkpoint');
    expect(await verified()).toMatchObject({ code: 0, upTo: null });
    expect(await verified('--anchor', 'anchor')).toMatchObject({ code: 1, found: 1, findings: [{ flaw: 'cut' }] });
  });

  test('finds a beginning that was removed also after the server signed what the database then said', async () => {
    tamper(
      `UPDATE audit_writer SET pruned_sequence = 1, pruned_hash = (SELECT hash FROM audit_entry ${of('DG1')})
         WHERE writer = (SELECT writer FROM audit_entry ${of('DG1')});
       DELETE FROM audit_entry ${of('DG1')}`,
    );
    await append(['X6']);
    await close();
    close = await serve();
    expect(await verified('--anchor', 'anchor')).toMatchObject({
      code: 1,
      findings: [{ flaw: 'removed', sequence: 1 }],
    });
  });

  test('takes no key from the database that was not sealed there', async () => {
    const key = fakeKey('planted');
    const raw = new DatabaseSync(join(folder, 'sts.db'));
    const [head] = raw.prepare(`SELECT writer, sequence, hash FROM audit_entry ${of('DG1')}`).all();
    const pruned = [head as unknown as ChainHead];
    const forged = await signCheckpoint({ issuer: URL, at: 1_795_402_800, heads: [], pruned }, key.signer);
    const jwk = JSON.stringify(key.publicJwk);
    raw
      .prepare(
        `INSERT INTO key (kid, ring, algorithm, state, created_at, public_jwk, sealed)
           VALUES ('planted', 'access-token', 'ES256', 'expired', 0, ?, ?)`,
      )
      .run(jwk, new Uint8Array(28));
    raw.prepare('INSERT INTO audit_checkpoint (at, jws) VALUES (?, ?)').run(forged.at, forged.jws);
    raw.exec(`DELETE FROM audit_entry ${of('DG1')}`);
    raw.close();
    expect(await run(['verify', '--anchor', 'anchor'])).toMatchObject({ code: 4, stdout: '' });
  });

  test('finds an anchor that is another server’s, or no anchor', async () => {
    writeFileSync(join(folder, 'other'), 'not-a-checkpoint\n');
    expect(await verified('--anchor', 'other')).toMatchObject({ code: 1, findings: [{ flaw: 'checkpoint' }] });
    expect(await run(['verify', '--anchor', 'missing'])).toMatchObject({ code: 2 });
  });
});

describe('audit export', () => {
  const files = async (...args: readonly string[]) => {
    const exported = await run(['export', ...args]);
    expect(exported.code).toBe(0);
    writeFileSync(join(folder, 'export.jsonl'), exported.stdout);
    writeFileSync(join(folder, 'jwks.json'), (await run(['keys'])).stdout);
    return exported.stdout.trimEnd().split('\n');
  };
  const offline = (...args: readonly string[]) => verified('--file', 'export.jsonl', '--jwks', 'jwks.json', ...args);

  test('is checked without a server', async () => {
    const lines = await files();
    await close();
    close = async () => undefined;
    expect(await offline('--anchor', 'anchor')).toMatchObject({ code: 0, found: 0, issuer: URL, uncovered: 0 });
    const edited = lines.map((line) => line.replace('"detail":"ref differs in case"', '"detail":"nothing"'));
    writeFileSync(join(folder, 'export.jsonl'), edited.join('\n'));
    expect(await offline()).toMatchObject({ code: 1, found: 1, findings: [{ flaw: 'edited', id: 'DR2' }] });
    writeFileSync(join(folder, 'export.jsonl'), lines.filter((line) => !line.includes('"id":"DR2"')).join('\n'));
    expect(await offline()).toMatchObject({ code: 1, found: 1, findings: [{ flaw: 'removed', sequence: 2 }] });
    writeFileSync(join(folder, 'export.jsonl'), lines.slice(0, -1).join('\n'));
    const cut = await run(['verify', '--file', 'export.jsonl', '--jwks', 'jwks.json']);
    expect(cut).toMatchObject({ code: 1, stderr: expect.stringContaining('ends before the export did') });
  });

  test('of later records alone is checked from where it begins', async () => {
    tamper("UPDATE audit_entry SET at = at - 86400000, body = body WHERE id = 'DG1'");
    tamper("UPDATE audit_entry SET at = at + 86400000 WHERE id = 'DG1'");
    const since = new Date(1_795_402_800_000 + 1000).toISOString().replace('.000', '');
    const later = actionRecord('late', { at: 1_795_402_900_000 });
    const store = await openSqliteSts({ path: join(folder, 'sts.db') });
    await store.recordAction(later);
    await store.close();
    const lines = await files('--since', since);
    expect(lines.filter((line) => line.includes('"record"'))).toMatchObject([expect.stringContaining('"Alate"')]);
    expect(await offline('--anchor', 'anchor')).toMatchObject({ code: 0, found: 0, records: 1, partial: 1 });
  });

  test('keeps what no record says, so that it is found offline too', async () => {
    tamper(
      "UPDATE audit_entry SET body = 'no record' WHERE id = 'DR2'; UPDATE audit_entry SET tenant = 'x' WHERE id = 'DG1'",
    );
    await files();
    const flaws = (await offline()).findings.map(({ flaw, id }: { flaw: string; id: string }) => [id, flaw]);
    expect(flaws).toEqual([
      ['DG1', 'index'],
      ['DR2', 'edited'],
    ]);
  });

  test('as OCSF has an event for each record, of the version that it names', async () => {
    const { code, stdout } = await run(['export', '--format', 'ocsf']);
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const own = events.filter(({ metadata }) => /^(D[GR]|AX)\d$/.test(metadata.uid));
    expect(own.map(({ class_uid, metadata, status_id }) => [metadata.uid, class_uid, status_id])).toEqual([
      ['DG1', 3002, 1],
      ['DR2', 3002, 2],
      ['AX3', 6003, 1],
      ['DG4', 3002, 1],
    ]);
    for (const event of events) {
      expect(event.metadata.version).toBe('1.6.0');
      expect(event.type_uid).toBe(event.class_uid * 100 + event.activity_id);
    }
  });

  test('wants keys with a file, and a file that it wrote', async () => {
    await files();
    expect(await run(['verify', '--file', 'export.jsonl'])).toMatchObject({ code: 2 });
    expect(await run(['verify', '--file', 'jobpass.yaml', '--jwks', 'jwks.json'])).toMatchObject({ code: 2 });
    expect(await run(['verify', '--file', 'missing', '--jwks', 'jwks.json'])).toMatchObject({ code: 2 });
    expect(await run(['verify', '--file', 'export.jsonl', '--jwks', 'export.jsonl'])).toMatchObject({ code: 2 });
    expect(await run(['export', '--since', 'yesterday'])).toMatchObject({ code: 2 });
    expect(await run(['export', '--format', 'xml'])).toMatchObject({ code: 2 });
  });
});

describe('audit tail', () => {
  test('shows the newest records, of all tenants to whoever may audit and of their own to others', async () => {
    const all = await run(['tail']);
    expect(all.code).toBe(0);
    for (const id of ['DG1', 'DR2', 'AX3', 'DG4']) expect(all.stdout).toMatch(new RegExp(`^${id} `, 'm'));
    expect(all.stdout).toMatch(/^AX3 .* session\.end .* SX3 {2}by client alice$/m);
    const own = await run(['tail', '--json'], 'reader');
    const ids = own.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).record.id);
    expect(ids).toEqual(['DG1', 'DG4']);
  });

  test('follows what is recorded, each record once, until it is stopped', async () => {
    const following = jobpass(['audit', 'tail', '--follow', '--limit', '1'], {
      folder,
      env: { JOBPASS_OPERATOR_FILE: 'auditor.json' },
      stopAt: /following/,
      onReady: async () => {
        await append(['G6', 'X7']);
        await new Promise((resolve) => setTimeout(resolve, 6000));
      },
    });
    const { code, stdout } = await following;
    expect(code).toBe(0);
    expect(stdout.match(/DG6 /g)).toHaveLength(1);
    expect(stdout.match(/AX7 /g)).toHaveLength(1);
    expect(stdout).not.toContain('DG1');
  });
});

describe('audit prune', () => {
  test('leaves a checkpoint that proves the rest, and its own record', async () => {
    // Everything here is of one moment long before the day before yesterday.
    const { code, stdout } = await run(['prune', '--before', '2026-11-22']);
    expect([code, stdout]).toEqual([0, '0 records of before 2026-11-22T00:00:00.000Z pruned\n']);
    expect(await run(['prune', '--before', '2099-01-01'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('records of the last 24 hours stay'),
    });
    expect(await run(['prune'])).toMatchObject({ code: 2 });
  });
});

describe('whoever may not audit', () => {
  test.each([['verify'], ['export'], ['keys'], ['prune', '--before', '2020-01-01']])('may not %s', async (...args) => {
    expect(await run(args, 'reader')).toMatchObject({ code: 3, stderr: expect.stringContaining('audit: true') });
  });
});

test('no record, checkpoint, anchor or export has a secret in it', async () => {
  await run(['prune', '--before', '2026-11-22']);
  const { stdout } = await run(['export']);
  for (const text of [stdout, readFileSync(join(folder, 'anchor'), 'utf8')]) expect(text).not.toContain(SECRET);
});

test('an issuer has a trail of its own, which --issuer asks for', async () => {
  const hash = hashClientSecret(new Secret(SECRET));
  const config = `issuer:
  url: http://127.0.0.1:8701
  storage: sqlite:./issuer.db
  admin: unix:./issuer.sock
  keys: { encryption_key: "file:kek" }
  clients: [{ name: auditor, secrets_sha256: ["${hash}"], may: { audit: true } }]
`;
  writeFileSync(join(folder, 'issuer.yaml'), config);
  const document = readConfig('issuer.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  if (!plan.ok || plan.value.issuer === null) throw new Error(JSON.stringify(plan));
  const anywhere = { ...plan.value.issuer, listen: { host: '127.0.0.1', port: 0 } };
  const host = {
    log: new MemoryLog(),
    limits: plan.value.limits,
    metrics: new Metrics(),
    metricsFrom: [],
    hasMetricsListener: false,
  };
  const issuer = await startIssuer(anywhere, host);
  try {
    const store = await openSqliteIssuer({ path: join(folder, 'issuer.db') });
    await store.recordAction(actionRecord('1', { action: 'key.activate' }));
    await store.close();
    const credential = { socket: join(folder, 'issuer.sock'), client: 'auditor', secret: SECRET };
    writeFileSync(join(folder, 'issuer.json'), JSON.stringify(credential), { mode: 0o600 });
    const env = { JOBPASS_ISSUER_OPERATOR_FILE: 'issuer.json' };
    const ask = (...args: readonly string[]) => jobpass(['audit', ...args, '--issuer'], { folder, env });
    expect((await ask('verify')).stdout).toMatch(/^whole: \d+ records in \d+ chains of http:\/\/127\.0\.0\.1:8701\n/);
    expect((await ask('tail')).stdout).toMatch(/^A1 .* key\.activate /m);
    expect(JSON.parse((await ask('keys')).stdout).keys).toMatchObject([{ kty: 'RSA', state: 'active' }]);
  } finally {
    await issuer.close();
  }
  expect(await jobpass(['audit', 'tail', '--issuer'], { folder })).toMatchObject({ code: 2 });
});
