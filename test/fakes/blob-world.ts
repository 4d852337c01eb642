// Callers of a Blob front.
import {
  ACCOUNT,
  type StoreReply,
  type StoreWorld,
  type StoreWorldOptions,
  sendRequest,
  startStoreWorld,
} from './store-world.ts';

const VERSION = '2026-10-06';

/** One request; what is left out is as the SDK has it. A header that is null is not sent. */
export interface BlobAsk {
  readonly method?: string;
  /** Raw path and query, as on the wire, after `/<account>`. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly body?: Uint8Array | string;
  /** A good one of the role unless given; null: none. */
  readonly token?: string | null;
}

export interface BlobReply extends StoreReply {
  /** x-ms-error-code. */
  readonly code: string | undefined;
}

export interface BlobWorld extends StoreWorld {
  /** Sends with a token of a session that stands, unless told another. */
  send(ask: BlobAsk): Promise<BlobReply>;
}

/** Starts a gateway with a Blob front. */
export async function startBlobWorld(options?: StoreWorldOptions): Promise<BlobWorld> {
  const world = await startStoreWorld('blob', options);
  const send = async ({ body = '', method = 'GET', target, token, ...ask }: BlobAsk): Promise<BlobReply> => {
    const bytes = Buffer.from(body);
    const credential = token === undefined ? await world.token() : token;
    const wanted: BlobAsk['headers'] = {
      'x-ms-version': VERSION,
      ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
      ...(method === 'PUT' ? { 'content-length': String(bytes.length) } : {}),
      ...(method === 'PUT' && !target.includes('comp=') ? { 'x-ms-blob-type': 'BlockBlob' } : {}),
      ...ask.headers,
    };
    const told = Object.entries(wanted).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
    const headers = Object.fromEntries(told);
    const reply = await sendRequest({ port: world.port, method, path: `/${ACCOUNT}${target}`, headers }, bytes);
    const code = reply.headers['x-ms-error-code'];
    return { ...reply, code: typeof code === 'string' ? code : undefined };
  };
  return { ...world, send };
}
