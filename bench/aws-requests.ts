// The requests of AWS's clients as they stand on the wire, signed once for the length of a measurement.
import { randomBytes } from 'node:crypto';
import { S3_REGION, type S3Servers } from '../test/e2e/s3-servers.ts';
import { askIdToken, startJob } from '../test/e2e/three-servers.ts';
import { type S3Keys, sendSigned, signAsk } from '../test/fakes/s3-caller.ts';
import { arnOf } from '../test/sdk/aws-s3/job.ts';

export const BUCKET = 'artifacts';

/** The bytes of a request. */
export function message(head: readonly string[], body = ''): Buffer {
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return Buffer.from(`${[...head, ...length].join('\r\n')}\r\n\r\n${body}`);
}

/** AssumeRoleWithWebIdentity with a token that is good for ten minutes. */
export async function assumeRequest(servers: S3Servers): Promise<Buffer> {
  const job = await startJob(servers, { environment: undefined, timeout_seconds: 3600 });
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: arnOf('deploy'),
    RoleSessionName: 'bench',
    WebIdentityToken: String((await askIdToken(servers, job)).body.value),
  });
  const type = 'content-type: application/x-www-form-urlencoded; charset=utf-8';
  return message(['POST / HTTP/1.1', `host: ${new URL(servers.urls.sts).host}`, type], form.toString());
}

/** A GET of an object, signed for a quarter of an hour. */
export function getRequest(servers: S3Servers, keys: S3Keys, name: string): Buffer {
  const signed = signAsk(servers.urls.s3, { target: `/${BUCKET}/${name}`, keys, region: S3_REGION });
  return message([
    `GET ${signed.target} HTTP/1.1`,
    ...Object.entries(signed.headers).map(([header, value]) => `${header}: ${value}`),
  ]);
}

/** Stores an object of random bytes, and gives them back. */
export async function storeObject(
  servers: S3Servers,
  keys: S3Keys,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Promise<Buffer> {
  const body = randomBytes(bytes);
  const ask = { method: 'PUT', target: `/${BUCKET}/${name}`, keys, region: S3_REGION, body };
  const { status, text } = await sendSigned(servers.urls.s3, signAsk(servers.urls.s3, ask));
  if (status !== 200) throw new Error(text);
  return body;
}
