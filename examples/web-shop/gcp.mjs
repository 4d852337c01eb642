// The two calls that an upload with an identity takes, as every Google Cloud client makes them. This one has no dependency.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Where `gcloud` keeps its credentials for its next call. */
export const cacheFolder = '.config/gcloud';

/** What the clients call a credentials file. It holds no secret: it says where the token is, and who wants to be whom. */
const credentialsFile = async (env) => JSON.parse(await readFile(env.GOOGLE_APPLICATION_CREDENTIALS, 'utf8'));

/** How objects are put. */
export const method = 'POST';

/** Whom the job wants to be. */
export const wantedRole = async (env) => (await credentialsFile(env)).audience;

/** The ID token in exchange for an access token of the provider's role. */
export async function signIn(env) {
  const { audience, subject_token_type, token_url, credential_source } = await credentialsFile(env);
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: await readFile(credential_source.file, 'utf8'),
    subject_token_type,
  });
  const { json, ...answer } = await send(token_url, { method: 'POST', body });
  const { access_token, expires_in } = json;
  return { ...answer, kept: { access_token }, until: answer.ok && inSeconds(expires_in) };
}

/** Upload of one object, `gs://BUCKET/NAME`, by the JSON API: its description and its bytes in one request. */
export function putObject(object, body, { env, kept }) {
  const { host: bucket, pathname } = new URL(object);
  const url = new URL(
    `/upload/storage/v1/b/${bucket}/o?uploadType=multipart`,
    env.CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE,
  );
  const boundary = randomUUID();
  const described = JSON.stringify({ name: pathname.slice(1) });
  const parts = [
    `--${boundary}\r\ncontent-type: application/json\r\n\r\n${described}\r\n`,
    `--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`,
    body,
    `\r\n--${boundary}--\r\n`,
  ];
  return send(url, {
    method: 'POST',
    body: Buffer.concat(parts.map((part) => Buffer.from(part))),
    headers: {
      authorization: `Bearer ${kept.access_token}`,
      'content-type': `multipart/related; boundary=${boundary}`,
    },
  });
}

const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

/** A refusal says why in one word, and under which id the operator reads the rest. */
async function send(url, request) {
  const response = await fetch(url, request);
  const { ok, status } = response;
  const json = await response.json();
  if (ok) return { ok, status, json };
  // The STS answers as OAuth does, the store as Google's other APIs.
  const code = json.error.errors?.[0].reason ?? json.error;
  const decision = /\bD[0-9A-Z]{12}\b/.exec(json.error.message ?? json.error_description)?.[0];
  return { ok, status, json, isDead: code === 'authError', refusal: `${status} ${code}, decision ${decision}` };
}
