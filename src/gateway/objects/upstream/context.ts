// What every call to the upstream shares: which buckets exist, one request, one answer read or refused.
import { err, ok, type Result } from '../../../base/core/result.ts';
import type { Clock } from '../../../base/ports/clock.ts';
import { objectFailure } from '../failure.ts';
import type { ObjectFailure } from '../store.ts';
import { readDocument, type UpstreamAnswer, type UpstreamConnection, type UpstreamRequest } from './connection.ts';
import { errorCodeOf } from './documents.ts';
import { failureOf, unavailable } from './failures.ts';

export interface UpstreamContext {
  readonly connection: UpstreamConnection;
  /** Buckets that are not named here do not exist, whatever the upstream has. */
  readonly buckets: ReadonlySet<string>;
  readonly clock: Clock;
}

export type Outcome<T> = Promise<Result<T, ObjectFailure>>;

interface Place {
  readonly bucket: string;
  /** null: the bucket itself. */
  readonly key: string | null;
}
type Asked = Omit<UpstreamRequest, 'bucket' | 'key'>;

/**
 * A server that removes dot segments (RFC 3986 §5.2.4) or empty ones (MinIO one at the beginning, proxies any) would act on
 * another object than was decided on. A slash at the end stays.
 */
const REMOVABLE_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)|^\/|\/\//;

/** An answer that says yes, its body still to be read or destroyed. */
export async function ask(c: UpstreamContext, { bucket, key }: Place, request: Asked): Outcome<UpstreamAnswer> {
  if (!c.buckets.has(bucket)) return objectFailure('bucket_unknown', `${bucket} is not configured`);
  if (key !== null && REMOVABLE_SEGMENT.test(key)) {
    return objectFailure('not_supported', 'the upstream could leave dots or empty segments out of the key');
  }
  const answer = await c.connection.send({ ...request, bucket, key });
  if (!answer.ok || (answer.value.status >= 200 && answer.value.status < 300)) return answer;
  const document = await readDocument(answer.value);
  return err(failureOf({ status: answer.value.status, code: document.ok ? errorCodeOf(document.value) : null }));
}

/** A yes whose body says nothing that is needed. */
export async function askHead(c: UpstreamContext, place: Place, request: Asked): Outcome<UpstreamAnswer['headers']> {
  const answer = await ask(c, place, request);
  if (!answer.ok) return answer;
  answer.value.body.resume();
  return ok(answer.value.headers);
}

/** What a document says that came with a yes. S3 says no in one, too, when it found out late. */
export async function askDocument<T>(
  c: UpstreamContext,
  place: Place,
  request: Asked & { readonly decode: (document: Buffer) => T | undefined },
): Outcome<T> {
  const { decode, ...asked } = request;
  const answer = await ask(c, place, asked);
  if (!answer.ok) return answer;
  const document = await readDocument(answer.value);
  if (!document.ok) return document;
  const code = errorCodeOf(document.value);
  return code === null ? told(decode(document.value)) : err(failureOf({ status: answer.value.status, code }));
}

/** What an answer tells, or the failure that it does not. */
export const told = <T>(value: T | undefined): Result<T, ObjectFailure> =>
  value === undefined ? err(unavailable('the upstream answered something else than was asked')) : ok(value);
