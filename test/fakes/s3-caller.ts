// A client of an S3 front that signs each request itself, so that a test can spoil any part of it before or after signing.
import { createHash } from 'node:crypto';
import { formatAmzDate } from '../../src/base/sigv4/amz-date.ts';
import { signRequest } from '../../src/base/sigv4/sign-request.ts';
import { signingKey } from '../../src/base/sigv4/signature.ts';
import { REGION, type StoreReply, sendRequest } from './store-world.ts';

/** What a session holds at its client. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly sessionToken: string;
}

/** One request to be signed; what is left out is as clients have it. */
export interface S3Ask {
  readonly method?: string;
  /** Raw path and query, as on the wire. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** x-amz-content-sha256; the body's own unless given. */
  readonly payloadHash?: string;
  readonly keys: S3Keys;
  /** Epoch seconds; now unless given. */
  readonly at?: number;
  readonly region?: string;
}

/** A request as it goes onto the wire. */
export interface SignedAsk {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface S3Reply extends StoreReply {
  /** Of an error's XML. */
  readonly code: string | undefined;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Signs `ask` for the server at `origin`. */
export function signAsk(origin: string, ask: S3Ask): SignedAsk {
  const { keys, target, method = 'GET', region = REGION, at = Math.floor(Date.now() / 1000) } = ask;
  const body = Buffer.from(ask.body ?? '');
  const [path = '', query = ''] = target.split('?', 2);
  const amzDate = formatAmzDate(at);
  const scope = { date: amzDate.slice(0, 8), region, service: 's3' };
  const headers: Record<string, string> = { host: new URL(origin).host, ...ask.headers };
  const signed = signRequest(
    { method, path, query, headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])) },
    {
      accessKeyId: keys.accessKeyId,
      key: signingKey(keys.secret, scope),
      scope,
      amzDate,
      securityToken: keys.sessionToken,
      payloadHash: ask.payloadHash ?? sha256(body),
      pathEncoding: 'single',
    },
  );
  const length = body.length > 0 || method === 'PUT' ? { 'content-length': String(body.length) } : {};
  return { method, target, headers: { ...headers, ...length, ...signed }, body };
}

/** Sends a request as it is and reads the whole answer. */
export async function sendSigned(origin: string, signed: SignedAsk): Promise<S3Reply> {
  const { hostname, port } = new URL(origin);
  const { method, target: path, headers } = signed;
  const reply = await sendRequest({ hostname, port, method, path, headers }, signed.body);
  return { ...reply, code: /<Code>([^<]*)<\/Code>/.exec(reply.text)?.[1] };
}
