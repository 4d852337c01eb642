// The least that a server of this design does for a grant, to measure how far ours is from it: node:http, one RS256 check, the two
// rows of a grant in shared transactions with their chain, one ES256 signature. Nothing is read, judged or written down besides, so it
// is good for nothing else. `node bench/least-server.ts FOLDER` prints its port.
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { systemRandom } from '../src/app/adapters.ts';
import { ID_RANDOM_BYTES, newIdAt } from '../src/base/core/ids.ts';
import { grantOf } from '../src/storage/conformance/fixtures.ts';
import { encodeSession, SESSION_COLUMNS, sessionValues } from '../src/storage/rows/sessions.ts';
import { AuditChain } from '../src/storage/sqlite/audit-chain.ts';
import { openDatabase } from '../src/storage/sqlite/database.ts';
import { STS_SCHEMA } from '../src/storage/sqlite/migrations/sts.ts';
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

const database = openDatabase({ path: join(process.argv[2] ?? '.', 'least.db') }, STS_SCHEMA);
const chain = new AuditChain(database);
const marks = Array.from(SESSION_COLUMNS.split(','), () => '?').join(', ');
const insert = database.prepare(`INSERT INTO session (${SESSION_COLUMNS}) VALUES (${marks})`);
const idOf = (kind: 'D' | 'S', now: number): string => newIdAt(kind, now, systemRandom.bytes(ID_RANDOM_BYTES));
const template = grantOf('least', { now: clock.nowSeconds() }).session;

async function grant(response: ServerResponse): Promise<void> {
  if (!verify('sha256', signed, rsa.publicKey, signature)) throw new Error('the check failed');
  const now = clock.nowSeconds();
  const [id, decisionId] = [idOf('S', now), idOf('D', now)];
  const session = { ...template, id, decisionId, issuedAt: now, expiresAt: now + 1800 };
  const row = sessionValues(encodeSession(session));
  await database.write(() => {
    chain.append({ body: record, index: { kind: 'decision', id: decisionId, at: now * 1000, tenant: 'main' } });
    insert.run(...row);
  });
  sign('sha256', made, ec.privateKey);
  response.writeHead(200, { 'content-type': 'text/xml', 'content-length': ANSWER_CHARS });
  response.end(answer);
}

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => void grant(response));
});
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as { port: number }).port}`));
