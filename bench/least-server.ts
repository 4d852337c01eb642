// The least that a server of this design does for a grant, to measure how far ours is from it: node:http, one RS256 check, the two
// rows of a grant in shared transactions with their chain, one ES256 signature. Nothing is read, judged or written down besides, so it
// is good for nothing else. `node bench/least-server.ts FOLDER` prints its port. `… FOLDER ISSUER STS` with two URLs also judges: the
// call, the token and the role are read and decided on, and the record and the answer are the real ones (least-judge.ts).
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { systemRandom } from '../src/app/adapters.ts';
import type { EncodedRecord } from '../src/base/audit/record.ts';
import { ID_RANDOM_BYTES, newIdAt } from '../src/base/core/ids.ts';
import { grantOf } from '../src/storage/conformance/fixtures.ts';
import { encodeSession, SESSION_COLUMNS, sessionValues } from '../src/storage/rows/sessions.ts';
import { AuditChain } from '../src/storage/sqlite/audit-chain.ts';
import { openDatabase } from '../src/storage/sqlite/database.ts';
import { STS_SCHEMA } from '../src/storage/sqlite/migrations/sts.ts';
import type { FederatedSession, Session } from '../src/sts/store.ts';
import { leastJudge } from './least-judge.ts';
import { clock } from './parts.ts';

/** Of a grant over AWS's wire: the signed part of the token, the record, the answer. */
const SIGNED_BYTES = 1050;
const RECORD_CHARS = 3300;
const ANSWER_CHARS = 1570;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signed = randomBytes(SIGNED_BYTES);
const signature = sign('sha256', signed, rsa.privateKey);
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const made = randomBytes(600);
const record = 'r'.repeat(RECORD_CHARS);
const answer = 'a'.repeat(ANSWER_CHARS);

const [, , folder = '.', issuerUrl, stsUrl] = process.argv;
const database = openDatabase({ path: join(folder, 'least.db') }, STS_SCHEMA);
const chain = new AuditChain(database);
const marks = Array.from(SESSION_COLUMNS.split(','), () => '?').join(', ');
const insert = database.prepare(`INSERT INTO session (${SESSION_COLUMNS}) VALUES (${marks})`);
const idOf = (kind: 'D' | 'S', now: number): string => newIdAt(kind, now, systemRandom.bytes(ID_RANDOM_BYTES));
const template = grantOf('least', { now: clock.nowSeconds() }).session;

/** The two rows of a grant, durable when it resolves. */
function keep(session: Session | FederatedSession, entry: EncodedRecord): Promise<void> {
  const row = sessionValues(encodeSession(session));
  return database.write(() => {
    chain.append(entry);
    insert.run(...row);
  });
}

async function grant(): Promise<string> {
  if (!verify('sha256', signed, rsa.publicKey, signature)) throw new Error('the check failed');
  const now = clock.nowSeconds();
  const [id, decisionId] = [idOf('S', now), idOf('D', now)];
  const index = { kind: 'decision', id: decisionId, at: now * 1000, tenant: 'main' };
  await keep({ ...template, id, decisionId, issuedAt: now, expiresAt: now + 1800 }, { body: record, index });
  sign('sha256', made, ec.privateKey);
  return answer;
}

/** With URLs, what is sent is judged; without, nobody looks at it. */
const judge = issuerUrl === undefined || stsUrl === undefined ? undefined : await leastJudge(issuerUrl, stsUrl);

async function judged(body: Uint8Array, by: NonNullable<typeof judge>): Promise<string> {
  const granted = await by(body);
  await keep(granted.session, granted.record);
  return granted.answer();
}

function send(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.once('end', () => {
    const answered = judge === undefined ? grant() : judged(Buffer.concat(parts), judge);
    void answered.then((text) => send(response, text));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as { port: number }).port}`));
