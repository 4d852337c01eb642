// The two calls that an upload with an identity takes, as every AWS client makes them. This one has no dependency.
import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const element = (xml, name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];

/** Where `aws` keeps its credentials for its next call. */
export const cacheFolder = '.aws/cli/cache';

/** How objects are put. */
export const method = 'PUT';

/** Whom the job wants to be. */
export const wantedRole = (env) => env.AWS_ROLE_ARN;

/** The ID token in exchange for credentials of AWS_ROLE_ARN. Nothing is signed: the token is the proof. */
export async function signIn(env) {
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: env.AWS_ROLE_ARN,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME,
    WebIdentityToken: await readFile(env.AWS_WEB_IDENTITY_TOKEN_FILE, 'utf8'),
  });
  const answer = await send(env.AWS_ENDPOINT_URL_STS, { method: 'POST', body });
  const members = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'];
  const credentials = Object.fromEntries(members.map((name) => [name, element(answer.xml, name)]));
  return { ...answer, kept: { Credentials: credentials }, until: credentials.Expiration };
}

/** PUT of one object, `s3://BUCKET/KEY`. Keys of letters, digits and `-_./` only: others are signed in an encoding of their own. */
export function putObject(object, body, { env, kept }) {
  const credentials = kept.Credentials;
  const { host: bucket, pathname } = new URL(object);
  const url = new URL(`/${bucket}${pathname}`, env.AWS_ENDPOINT_URL_S3);
  return send(url, { method: 'PUT', body, headers: signed({ url, body, region: env.AWS_REGION, credentials }) });
}

/** The headers of a PUT without a query, signed by Signature Version 4. */
function signed({ url, body, region, credentials }) {
  const time = new Date().toISOString().replace(/[-:]|\.[0-9]+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  // Sorted by name, as the signature wants them.
  const headers = {
    host: url.host,
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': time,
    'x-amz-security-token': credentials.SessionToken,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = ['PUT', url.pathname, '', lines.join(''), names, headers['x-amz-content-sha256']].join('\n');
  const key = scope.split('/').reduce((from, part) => hmac(from, part), `AWS4${credentials.SecretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n')).toString('hex');
  const credential = `Credential=${credentials.AccessKeyId}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** A refusal says why in one word, and under which id the operator reads the rest. */
async function send(url, request) {
  const response = await fetch(url, request);
  const xml = await response.text();
  const { ok, status } = response;
  const code = ok ? undefined : element(xml, 'Code');
  return {
    ok,
    status,
    xml,
    isDead: code === 'ExpiredToken',
    refusal: ok ? undefined : `${status} ${code}, decision ${element(xml, 'RequestId')}`,
  };
}
