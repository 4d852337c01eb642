// Uploads a file as the cloud's own client does, by the same variables: node publish.mjs FILE s3://BUCKET/FOLDER/
// (gs://BUCKET/FOLDER/, https://HOST/ACCOUNT/CONTAINER/FOLDER/). It knows nothing of Jobpass.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const { env } = process;
const { cacheFolder, method, putObject, signIn, wantedRole } = await import(`./${env.CLOUD ?? 'aws'}.mjs`);

const [file, folder] = process.argv.slice(2);
if (file === undefined || !/^(s3|gs|https):\/\/.+\/$/.test(folder ?? '')) {
  console.error('usage: node publish.mjs FILE s3://BUCKET/FOLDER/');
  process.exit(2);
}

/** The milliseconds since `start`, for people. */
const since = (start) => `${Math.round(performance.now() - start)} ms`;
const give = (problem) => {
  console.error(problem);
  process.exit(1);
};

const began = performance.now();
const role = await wantedRole(env);
const { kept, ...signedIn } = await signIn(env);
if (!signedIn.ok) give(`${role} → ${signedIn.refusal}`);
console.log(`assumed ${role} until ${signedIn.until}, ${since(began)}`);
// Where the cloud's own client keeps them too, for its next call.
const cache = join(homedir(), cacheFolder);
await mkdir(cache, { recursive: true });
await writeFile(join(cache, 'publish.json'), JSON.stringify(kept), { mode: 0o600 });

const object = `${folder}${basename(file)}`;
const body = await readFile(file);
const started = performance.now();
const put = await putObject(object, body, { env, kept });
if (!put.ok) give(`${method} ${object} → ${put.refusal}`);
console.log(`${method} ${object} → ${put.status}   ${body.length} bytes, ${since(started)}`);
