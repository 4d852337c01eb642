// Tries a credential whose job is over: node replay.mjs FILE. Succeeds when the gateway refuses it.
import { readFile } from 'node:fs/promises';

const store = process.env.ARTIFACTS_URL ?? 'http://127.0.0.1:8703';
const GIVE_UP_AFTER_MS = 12_000;

const token = (await readFile(process.argv[2], 'utf8')).trim();
const started = performance.now();
for (;;) {
  const response = await fetch(`${store}/web/replayed.txt`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: 'still alive',
  });
  const answer = await response.text();
  const after = performance.now() - started;
  if (response.status === 403) {
    const { error, decision } = JSON.parse(answer);
    console.log(`dead: 403 ${error}, ${(after / 1000).toFixed(1)} s into the next job, decision ${decision}`);
    break;
  }
  if (after > GIVE_UP_AFTER_MS) {
    console.error(`still alive after ${Math.round(after)} ms: ${response.status}`);
    process.exit(1);
  }
}
