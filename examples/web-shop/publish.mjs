// Uploads a file as `aws s3 cp` does, by the same variables: node publish.mjs FILE s3://BUCKET/FOLDER/
// It knows nothing of Jobpass.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { assumeRole, putObject } from './aws.mjs';

const [file, folder] = process.argv.slice(2);
if (file === undefined || !/^s3:\/\/.+\/$/.test(folder ?? '')) {
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
const { env } = process;
const role = await assumeRole(env);
if (!role.ok) give(`${env.AWS_ROLE_ARN} → ${role.refusal}`);
console.log(`assumed ${env.AWS_ROLE_ARN} until ${role.credentials.Expiration}, ${since(began)}`);
// Where `aws` keeps them too, for its next call.
const cache = join(homedir(), '.aws/cli/cache');
await mkdir(cache, { recursive: true });
await writeFile(join(cache, 'publish.json'), JSON.stringify({ Credentials: role.credentials }), { mode: 0o600 });

const object = `${folder}${basename(file)}`;
const body = await readFile(file);
const started = performance.now();
const put = await putObject(object, body, { env, credentials: role.credentials });
if (!put.ok) give(`PUT ${object} → ${put.refusal}`);
console.log(`PUT ${object} → ${put.status}   ${body.length} bytes, ${since(started)}`);
