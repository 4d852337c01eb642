// Takes a multipart/related upload apart while it arrives (Cloud Storage, "Multipart uploads"; RFC 2046 §5.1): metadata, then bytes.
// It keeps no more than the metadata and a boundary's length of the bytes.
import { type GcsError, type GcsErrorReason, gcsError } from './errors.ts';
import { isAttribute, MAX_METADATA_JSON_BYTES } from './metadata.ts';
import { PayloadError } from './payload-error.ts';

/** Headers of one part; clients send three short ones. */
const MAX_PART_HEADERS_BYTES = 4096;
/** What may follow the last boundary: its line's end. */
const END = /^--[ \t]*(?:\r?\n)?$/;
const MAX_END_BYTES = 16;

/** An upload whose bytes have still to come. */
export interface RelatedUpload {
  /** JSON, not yet read. */
  readonly metadata: Uint8Array;
  /** Of the second part; null: it says none. */
  readonly contentType: string | null;
  /** Read once. Throws PayloadError when the body does not end as it should. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Reads up to the first byte of the content. Lines end as the first one does, with CR LF or (gcloud) with LF alone, so that a CR
 * before a boundary belongs to one side only. Throws PayloadError: `badRequest` for a body that is not exactly two parts,
 * `notImplemented` for parts in a transfer encoding or with headers of unknown meaning.
 */
export async function openRelated(source: AsyncIterable<Uint8Array>, boundary: string): Promise<RelatedUpload> {
  const feed = new Feed(source);
  const opening = await feed.until(Buffer.from('\n'), boundary.length + 3);
  const isCrLf = opening.endsWith('\r');
  if (opening !== `--${boundary}${isCrLf ? '\r' : ''}`) throw malformed('it does not begin with its boundary');
  const lineEnd = isCrLf ? '\r\n' : '\n';
  const delimiter = Buffer.from(`${lineEnd}--${boundary}`, 'latin1');
  const described = await readPartHeaders(feed, lineEnd);
  if (!/^application\/json *(?:;|$)/i.test(described.contentType ?? '')) throw malformed('its first part is not JSON');
  const metadata = await feed.until(delimiter, MAX_METADATA_JSON_BYTES);
  if ((await feed.until(Buffer.from(lineEnd), 2)) !== '') throw malformed('it has one part only');
  const { contentType } = await readPartHeaders(feed, lineEnd);
  return { metadata: Buffer.from(metadata, 'latin1'), contentType, content: contentOf(feed, delimiter) };
}

const malformed = (why: string): PayloadError => refused('badRequest', `The multipart body is malformed: ${why}.`);

const refused = (reason: GcsErrorReason, message: string): PayloadError => {
  const error: GcsError = gcsError(reason, message);
  return new PayloadError(error);
};

async function readPartHeaders(feed: Feed, lineEnd: string): Promise<{ readonly contentType: string | null }> {
  const text = await feed.until(Buffer.from(`${lineEnd}${lineEnd}`), MAX_PART_HEADERS_BYTES);
  let contentType: string | null = null;
  for (const line of text.split(lineEnd)) {
    const [, name = '', value = ''] = /^([A-Za-z-]+):[ \t]*([\x20-\x7e]*)$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case 'content-type':
        if (contentType !== null) throw malformed('a part has two types');
        if (!isAttribute(value)) throw malformed('a part has a type that is none');
        contentType = value;
        break;
      case 'mime-version':
        break;
      case 'content-transfer-encoding':
        if (!/^(?:binary|7bit|8bit)$/i.test(value))
          throw refused('notImplemented', 'Transfer encodings are not implemented.');
        break;
      case '':
        throw malformed('a part has a broken header');
      default:
        throw refused('notImplemented', `The part header ${JSON.stringify(name.slice(0, 64))} is not implemented.`);
    }
  }
  return { contentType };
}

async function* contentOf(feed: Feed, delimiter: Buffer): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const { piece, isLast } = feed.before(delimiter);
    if (piece.length > 0) yield piece;
    if (isLast) break;
    if (!(await feed.more())) throw malformed('it ends without its boundary');
  }
  let end = '';
  do {
    end += feed.take(MAX_END_BYTES).toString('latin1');
    if (end.length >= MAX_END_BYTES) break;
  } while (await feed.more());
  // A longer word that begins with the boundary is none; but who writes one means something else than an end.
  if (!END.test(end)) throw malformed('its second part is not the last');
}

/** What arrived of a stream and was not read. */
class Feed {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Waits for further bytes; false at the end. */
  async more(): Promise<boolean> {
    const next = await this.#iterator.next();
    if (next.done === true) return false;
    const { buffer, byteOffset, length } = next.value;
    const arrived = Buffer.from(buffer, byteOffset, length);
    this.#pending = this.#pending.length === 0 ? arrived : Buffer.concat([this.#pending, arrived]);
    return true;
  }

  /** At most so many of the bytes that are there. */
  take(maxBytes: number): Buffer {
    const taken = this.#pending.subarray(0, maxBytes);
    this.#pending = this.#pending.subarray(taken.length);
    return taken;
  }

  /** What is surely before the next `delimiter`; the last piece when it was found, and is dropped. */
  before(delimiter: Buffer): { readonly piece: Buffer; readonly isLast: boolean } {
    const found = this.#pending.indexOf(delimiter);
    if (found === -1)
      return { piece: this.take(Math.max(0, this.#pending.length - delimiter.length + 1)), isLast: false };
    const piece = this.take(found);
    this.take(delimiter.length);
    return { piece, isLast: true };
  }

  /** Everything up to `delimiter`, which is dropped, a character for each byte. Throws when it is not found within `maxBytes`. */
  async until(delimiter: Buffer, maxBytes: number): Promise<string> {
    for (;;) {
      const found = this.#pending.indexOf(delimiter);
      if (found > maxBytes || (found === -1 && this.#pending.length > maxBytes + delimiter.length)) {
        throw malformed('a line or a part is too long, or not there');
      }
      if (found !== -1) {
        const text = this.take(found).toString('latin1');
        this.take(delimiter.length);
        return text;
      }
      if (!(await this.more())) throw malformed('it ends too early');
    }
  }
}
