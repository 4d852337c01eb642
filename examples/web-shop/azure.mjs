// The two calls that an upload with an identity takes, as every Azure client makes them. This one has no dependency.
import { readFile } from 'node:fs/promises';

/** Where `az` keeps its credentials for its next call. */
export const cacheFolder = '.azure';

/** How objects are put. */
export const method = 'PUT';

/** Whom the job wants to be. */
export const wantedRole = (env) => `${env.AZURE_TENANT_ID}/${env.AZURE_CLIENT_ID}`;

/** The ID token as the application's assertion, in exchange for an access token. */
export async function signIn(env) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: env.AZURE_CLIENT_ID,
    scope: 'https://storage.azure.com/.default',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await readFile(env.AZURE_FEDERATED_TOKEN_FILE, 'utf8'),
  });
  const url = new URL(`/${env.AZURE_TENANT_ID}/oauth2/v2.0/token`, env.AZURE_AUTHORITY_HOST);
  const response = await fetch(url, { method: 'POST', body });
  const { ok, status } = response;
  const { access_token, expires_in, error_description = '' } = await response.json();
  if (ok) return { ok, kept: { access_token }, until: new Date(Date.now() + expires_in * 1000).toISOString() };
  const [code] = /^AADSTS[0-9]+/.exec(error_description) ?? [];
  const [decision] = /\bD[0-9A-Z]{12}\b/.exec(error_description) ?? [];
  return { ok, refusal: `${status} ${code}, decision ${decision}` };
}

/** Put Blob, `https://HOST/ACCOUNT/CONTAINER/BLOB`. */
export async function putObject(object, body, { kept }) {
  const headers = {
    authorization: `Bearer ${kept.access_token}`,
    'x-ms-blob-type': 'BlockBlob',
    'x-ms-version': '2025-01-05',
  };
  const response = await fetch(object, { method: 'PUT', body, headers });
  await response.arrayBuffer();
  const { ok, status } = response;
  const code = response.headers.get('x-ms-error-code');
  const isDead = code === 'InvalidAuthenticationInfo';
  return { ok, status, isDead, refusal: `${status} ${code}, decision ${response.headers.get('x-ms-request-id')}` };
}
