// Tries credentials whose job is over: node replay.mjs FILE s3://BUCKET/KEY. Succeeds when the gateway refuses them.
import { readFile } from 'node:fs/promises';

const { env } = process;
const { putObject } = await import(`./${env.CLOUD ?? 'aws'}.mjs`);
const GIVE_UP_AFTER_MS = 12_000;

const [file, object] = process.argv.slice(2);
const kept = JSON.parse(await readFile(file, 'utf8'));
const started = performance.now();
for (;;) {
  const put = await putObject(object, 'still alive', { env, kept });
  const after = performance.now() - started;
  if (put.isDead) {
    console.log(`dead: ${put.refusal}, ${(after / 1000).toFixed(1)} s into the next job`);
    break;
  }
  if (after > GIVE_UP_AFTER_MS) {
    console.error(`still alive after ${Math.round(after)} ms: ${put.ok ? put.status : put.refusal}`);
    process.exit(1);
  }
}
