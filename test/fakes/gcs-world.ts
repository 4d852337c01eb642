// Callers of a Cloud Storage front.
import {
  type StoreReply,
  type StoreWorld,
  type StoreWorldOptions,
  sendRequest,
  startStoreWorld,
} from './store-world.ts';

/** One request; what is left out is as clients have it. */
export interface GcsAsk {
  readonly method?: string;
  /** Raw path and query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** The access token; null: none. */
  readonly token?: string | null;
}

export interface GcsReply extends StoreReply {
  /** Of an answer that is JSON. */
  readonly json: Record<string, unknown>;
  /** Of an error. */
  readonly reason: string | undefined;
}

export interface GcsWorld extends StoreWorld {
  /** Sends with a token of a session that stands, unless told another. */
  send(ask: GcsAsk): Promise<GcsReply>;
}

/** Starts a gateway with a Cloud Storage front. */
export async function startGcsWorld(options?: StoreWorldOptions): Promise<GcsWorld> {
  const world = await startStoreWorld('gcs', options);
  const send = async ({ body = '', headers = {}, method = 'GET', target, token }: GcsAsk): Promise<GcsReply> => {
    const bytes = Buffer.from(body);
    const credential = token === undefined ? await world.token() : token;
    const all = {
      ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
      ...(bytes.length > 0 ? { 'content-length': String(bytes.length) } : {}),
      ...headers,
    };
    const reply = await sendRequest({ port: world.port, method, path: target, headers: all }, bytes);
    const isJson = reply.headers['content-type']?.startsWith('application/json') === true;
    const json = isJson ? JSON.parse(reply.text) : {};
    return { ...reply, json, reason: json.error?.errors?.[0]?.reason };
  };
  return { ...world, send };
}

/** A multipart upload as Node's client writes it. */
export function related(metadata: object, content: Uint8Array | string): Pick<GcsAsk, 'headers' | 'body'> {
  const head = `--edge\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--edge\r\nContent-Type: text/x\r\n\r\n`;
  return {
    headers: { 'content-type': 'multipart/related; boundary=edge' },
    body: Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n--edge--')]),
  };
}
