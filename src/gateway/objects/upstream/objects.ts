// Single objects at the upstream: head, get, put, delete, copy, list. Conditions are judged here, by the object as it stands, and
// what was judged is pinned by its ETag: servers differ in which conditions they heed, and all of them know this one.
import type { Writable } from 'node:stream';
import { err, ok, type Result } from '../../../base/core/result.ts';
import { checkRead, checkSource, checkWrite } from '../conditions.ts';
import { endedCall, objectFailure } from '../failure.ts';
import { resolveRange, type Span } from '../range.ts';
import {
  type ByteRange,
  type Conditions,
  type Content,
  type CopyOptions,
  type DeleteOptions,
  type GetOptions,
  type Listing,
  type ListOptions,
  MAX_LIST_ENTRIES,
  type ObjectAttributes,
  type ObjectFailure,
  type ObjectInfo,
  type ObjectRef,
  type OpenObject,
  type PutOptions,
} from '../store.ts';
import { sendStream } from '../transfer.ts';
import type { UpstreamAnswer } from './connection.ts';
import { ask, askDocument, askHead, type Outcome, told, type UpstreamContext } from './context.ts';
import { decodeCopy, decodeListing } from './documents.ts';
import { attributeHeaders, contentRange, copySource, objectFrom, rangeHeader, unquoted } from './headers.ts';
import { outgoingBody } from './outgoing-body.ts';

/** The object as it stands. */
export async function look(c: UpstreamContext, object: ObjectRef): Outcome<ObjectInfo> {
  const headers = await askHead(c, object, { method: 'HEAD' });
  return headers.ok ? told(objectFrom(object.key, headers.value)) : headers;
}

export async function headObject(
  c: UpstreamContext,
  object: ObjectRef,
  conditions: Conditions = {},
): Outcome<ObjectInfo> {
  const found = await look(c, object);
  if (!found.ok) return found;
  const check = checkRead(found.value, conditions);
  return check.ok ? found : check;
}

export async function getObject(c: UpstreamContext, object: ObjectRef, options: GetOptions): Outcome<OpenObject> {
  const { conditions, range, signal } = options;
  const isEmptySuffix = range !== undefined && 'suffix' in range && range.suffix === 0;
  let pin: string | undefined;
  if (conditions !== undefined || isEmptySuffix) {
    const found = await headObject(c, object, conditions);
    if (!found.ok) return found;
    if (isEmptySuffix) return unsatisfiable(range, found.value);
    pin = found.value.etag;
  }
  const wanted = rangeHeader(range);
  const headers = {
    ...(pin === undefined ? {} : { 'if-match': `"${pin}"` }),
    ...(wanted === undefined ? {} : { range: wanted }),
  };
  const answer = await ask(c, object, { method: 'GET', headers, signal });
  if (!answer.ok) {
    if (answer.error.problem === 'precondition_failed') return CHANGED;
    const current = answer.error.problem === 'range_unsatisfiable' ? await look(c, object) : undefined;
    return current?.ok === true ? err({ ...answer.error, current: current.value }) : answer;
  }
  const { body } = answer.value;
  const info = objectFrom(object.key, answer.value.headers);
  const given = contentRange(answer.value.headers);
  if (
    info === undefined ||
    (range !== undefined) !== (given !== undefined) ||
    !areAsLong(answer.value.headers, given)
  ) {
    body.destroy();
    return told<OpenObject>(undefined);
  }
  signal.addEventListener('abort', () => body.destroy(new Error('aborted')), { once: true });
  const sendTo = (target: Writable) => sendStream(body, target);
  return ok({ info, range: given === undefined ? null : { first: given.first, last: given.last }, body, sendTo });
}

/** What is announced as a range must be as long as it: the caller would take the beginning of its next answer for the rest. */
const areAsLong = (headers: UpstreamAnswer['headers'], given: Span | undefined): boolean =>
  given === undefined || Number(headers['content-length'] ?? 'none') === given.last - given.first + 1;

const CHANGED = objectFailure('conflict', 'the object was replaced while it was looked at');

function unsatisfiable(range: ByteRange, current: ObjectInfo): Result<never, ObjectFailure> {
  const span = resolveRange(range, current);
  return span.ok ? objectFailure('range_unsatisfiable', 'an empty range', { current }) : span;
}

export async function putObject(c: UpstreamContext, object: ObjectRef, options: PutOptions): Outcome<ObjectInfo> {
  const { attributes, conditions, content, signal } = options;
  const pinned = await pinWrite(c, object, conditions);
  if (!pinned.ok) return pinned;
  const body = await outgoingBody(content, signal);
  if (!body.ok) return body;
  const headers = { ...attributeHeaders(attributes), ...pinned.value };
  const answer = await askHead(c, object, { method: 'PUT', headers, body: body.value, signal });
  if (!answer.ok) return answer;
  const { etag } = answer.value;
  return etag === undefined
    ? told<ObjectInfo>(undefined)
    : settled(c, object, { etag, length: body.value.length, content, attributes });
}

/** The object that was just written, as the upstream tells it; as it was sent when somebody was faster. */
async function settled(
  c: UpstreamContext,
  object: ObjectRef,
  sent: {
    readonly etag: string;
    readonly length: number;
    readonly content: Content;
    readonly attributes: ObjectAttributes;
  },
): Outcome<ObjectInfo> {
  const etag = unquoted(sent.etag);
  const found = await look(c, object);
  if (found.ok && found.value.etag === etag) return found;
  const modifiedAt = c.clock.nowMs();
  const stored = { key: object.key, size: sent.length, etag, modifiedAt, generation: modifiedAt };
  return ok({ ...stored, checksums: sent.content.checksums(), ...sent.attributes });
}

/**
 * Judges the conditions of a write, and gives the one that makes the upstream refuse it when the object is no longer the one
 * that was judged. How atomic that is, is the upstream's matter. Without quotes: Ceph 16 compares them, too.
 */
export async function pinWrite(
  c: UpstreamContext,
  object: ObjectRef,
  conditions: Conditions | undefined,
): Outcome<Readonly<Record<string, string>>> {
  if (conditions === undefined || Object.keys(conditions).length === 0) return ok({});
  const { ifGenerationMatch } = conditions;
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== 0) {
    return objectFailure('not_supported', 'the upstream counts no generations');
  }
  const found = await look(c, object);
  if (!found.ok && found.error.problem !== 'key_unknown') return found;
  const current = found.ok ? found.value : undefined;
  const check = checkWrite(current, conditions);
  if (!check.ok) return check;
  return ok(current === undefined ? { 'if-none-match': '*' } : { 'if-match': current.etag });
}

export async function deleteObject(
  c: UpstreamContext,
  object: ObjectRef,
  { conditions, signal }: DeleteOptions,
): Outcome<null> {
  const pinned = await pinWrite(c, object, conditions);
  if (!pinned.ok) return pinned;
  const ended = endedCall(signal);
  if (ended !== undefined) return ended;
  const answer = await askHead(c, object, { method: 'DELETE', headers: pinned.value });
  return answer.ok || answer.error.problem === 'key_unknown' ? ok(null) : answer;
}

/** Judges the source and names it, pinned. */
export async function pinSource(
  c: UpstreamContext,
  source: ObjectRef,
  conditions: Conditions = {},
): Outcome<{ readonly info: ObjectInfo; readonly headers: Readonly<Record<string, string>> }> {
  const found = await look(c, source);
  if (!found.ok) return found;
  const check = checkSource(found.value, conditions);
  if (!check.ok) return check;
  return ok({
    info: found.value,
    headers: { ...copySource(source), 'x-amz-copy-source-if-match': `"${found.value.etag}"` },
  });
}

export async function copyObject(c: UpstreamContext, options: CopyOptions): Outcome<ObjectInfo> {
  const { attributes, conditions, signal, source, target } = options;
  const from = await pinSource(c, source, options.sourceConditions);
  if (!from.ok) return from;
  const pinned = await pinWrite(c, target, conditions);
  if (!pinned.ok) return pinned;
  const headers = {
    ...from.value.headers,
    ...pinned.value,
    'x-amz-metadata-directive': attributes === null ? 'COPY' : 'REPLACE',
    ...(attributes === null ? {} : attributeHeaders(attributes)),
  };
  const copied = await askDocument(c, target, { method: 'PUT', headers, signal, decode: decodeCopy });
  return copied.ok ? look(c, target) : copied;
}

export async function listBucket(c: UpstreamContext, bucket: string, options: ListOptions): Outcome<Listing> {
  const { delimiter, prefix } = options;
  const limit = Math.min(options.limit, MAX_LIST_ENTRIES);
  if (limit === 0) return ok({ objects: [], prefixes: [], isTruncated: false, next: null });
  const query: (readonly [string, string])[] = [
    ['list-type', '2'],
    ['encoding-type', 'url'],
    ['max-keys', String(limit)],
    ['prefix', prefix],
    ['start-after', startAfter(options)],
    ...(delimiter === null ? [] : [['delimiter', delimiter] as const]),
  ];
  // MinIO leaves a slash at the beginning of the prefix out: what it then lists, nobody was asked about.
  const decode = (document: Buffer): Listing | undefined => within(prefix, decodeListing(document));
  return askDocument(c, { bucket, key: null }, { method: 'GET', query, decode });
}

/** The listing, unless it tells of anything that does not begin with the prefix. */
function within(prefix: string, listing: Listing | undefined): Listing | undefined {
  const names = listing === undefined ? [] : [...listing.objects.map(({ key }) => key), ...listing.prefixes];
  return names.every((name) => name.startsWith(prefix)) ? listing : undefined;
}

/** Sorts after everything that begins with a common prefix, so that it is not told again. */
const BEYOND = '\u{10ffff}';

/** S3 goes on after a key; after a common prefix it would tell that prefix once more. */
function startAfter({ after, delimiter, prefix }: ListOptions): string {
  const isPrefix = delimiter !== null && after.length > prefix.length && after.endsWith(delimiter);
  return isPrefix ? `${after}${BEYOND}` : after;
}
