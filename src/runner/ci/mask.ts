// Keeps a job's secrets out of its log. It guards against accidents: a job that disguises a secret on purpose can still print it.
import { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { MAX_TOKEN_BYTES } from '../../base/core/limits.ts';

const STARS = '***';
/** Shorter pieces of an encoding would blot out ordinary text. */
const MIN_ENCODED_CHARS = 6;
/** A log line longer than this is handed on in pieces. */
const MAX_LINE_CHARS = 64 * 1024;
/** A compact JWS whose header is a JSON object. ID tokens and access tokens never pass the runner, so no list can name them. */
const JWS_START = 'eyJ';
const MIN_JWS_HEADER_CHARS = 9;
const MIN_JWS_PAYLOAD_CHARS = 6;
const MIN_JWS_SIGNATURE_CHARS = 16;
const BASE64URL_RUN = /[A-Za-z0-9_-]+/g;
/** Terminal escapes and control characters but the tab: a job's log must not steer the terminal, nor split a secret with them. */
const CONTROLS =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;
const ADD_MASK = /^\s*::add-mask::(.+)$/;

/** The secrets of one job, and texts without them. */
export class SecretMask {
  readonly #needles = new Set<string>();

  /** Masks `value` from now on: as it is (each of its lines), percent-encoded, JSON-escaped, and inside base64 of any alignment. */
  register(value: string): void {
    for (const line of value.split(/[\r\n]+/)) {
      if (line.trim() === '') continue;
      this.#needles.add(line);
      for (const encoded of encodingsOf(line)) {
        if (encoded.length >= MIN_ENCODED_CHARS) this.#needles.add(encoded);
      }
    }
  }

  /** `text` with every secret replaced by stars. */
  mask(text: string): string {
    const spans = this.spans(text);
    let masked = '';
    let at = 0;
    for (const [start, end] of spans) {
      masked += text.slice(at, start) + STARS;
      at = end;
    }
    return masked + text.slice(at);
  }

  /** Where secrets stand in `text`: merged, in order. */
  spans(text: string): readonly (readonly [number, number])[] {
    const found: [number, number][] = [];
    for (const needle of this.#needles) {
      for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1))
        found.push([at, at + needle.length]);
    }
    found.push(...jwsSpans(text));
    found.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const span of found) {
      const last = merged.at(-1);
      // Touching spans are one secret to the eye and give no hint of its length.
      if (last !== undefined && span[0] <= last[1]) last[1] = Math.max(last[1], span[1]);
      else merged.push(span);
    }
    return merged;
  }

  /** The longest text that may turn out to be a secret once more of it has come. */
  get reach(): number {
    let longest = MAX_TOKEN_BYTES;
    for (const needle of this.#needles) longest = Math.max(longest, needle.length);
    return longest;
  }
}

/**
 * Where compact JWS stand in `text`. Each run of base64url characters is looked at once: a pattern for the whole would begin
 * again at every `eyJ` of a line that is made of them, and take time with the square of its length.
 */
function jwsSpans(text: string): [number, number][] {
  const spans: [number, number][] = [];
  const runs = [...text.matchAll(BASE64URL_RUN)].map((match) => ({ start: match.index, chars: match[0] }));
  runs.forEach(({ start, chars }, index) => {
    const header = chars.indexOf(JWS_START);
    if (header === -1 || chars.length - header < MIN_JWS_HEADER_CHARS) return;
    const payload = runs[index + 1];
    const signature = runs[index + 2];
    if (payload === undefined || signature === undefined) return;
    const payloadAt = start + chars.length + 1;
    const signatureAt = payload.start + payload.chars.length + 1;
    if (payload.start !== payloadAt || text[payloadAt - 1] !== '.' || payload.chars.length < MIN_JWS_PAYLOAD_CHARS)
      return;
    if (signature.start !== signatureAt || text[signatureAt - 1] !== '.') return;
    if (signature.chars.length < MIN_JWS_SIGNATURE_CHARS) return;
    spans.push([start + header, signature.start + signature.chars.length]);
  });
  return spans;
}

/** The encodings in which a tool may print a secret. */
function encodingsOf(value: string): readonly string[] {
  const percent = encodeURIComponent(value);
  return [
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll('%20', '+'),
    JSON.stringify(value).slice(1, -1),
    ...[0, 1, 2].flatMap((shift) => base64Inside(Buffer.from(value), shift)),
  ];
}

/** The base64 characters that depend on `bytes` alone when `shift` other bytes stand before them and any bytes behind. */
function base64Inside(bytes: Uint8Array, shift: number): readonly string[] {
  const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const wholeChars = Math.floor(((shift + bytes.length) * 8) / 6);
  const inside = encoded.slice(Math.ceil((shift * 8) / 6), wholeChars);
  return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')];
}

/**
 * Turns one output stream into masked lines. A line is handed on when it is whole, so a secret cannot hide across two chunks;
 * `::add-mask::VALUE` lines register their value before they are handed on.
 */
export class MaskedLines {
  readonly #mask: SecretMask;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';

  constructor(mask: SecretMask, onLine: (line: string) => void) {
    this.#mask = mask;
    this.#onLine = onLine;
  }

  /** Takes the next bytes of the stream. */
  write(chunk: Uint8Array): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** The stream is over: hands on what is left. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#pending !== '') this.#emit(this.#pending);
    this.#pending = '';
  }

  #take(text: string): void {
    // Only what is new is searched: a line that comes byte by byte would otherwise be read anew with each of them.
    const [first = '', ...others] = text.split('\n');
    const lines = [this.#pending + first, ...others];
    this.#pending = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    if (this.#pending.length > MAX_LINE_CHARS) this.#cut();
  }

  /** Hands on the front of an endless line, as much of it as no secret can reach into. */
  #cut(): void {
    const clean = this.#pending.replace(CONTROLS, '');
    let cut = Math.max(0, clean.length - this.#mask.reach);
    for (const [start, end] of this.#mask.spans(clean)) {
      if (start < cut && cut < end) cut = end;
    }
    if (cut > 0) this.#onLine(this.#mask.mask(clean.slice(0, cut)));
    this.#pending = clean.slice(cut);
  }

  #emit(raw: string): void {
    const line = raw.replace(CONTROLS, '');
    const value = ADD_MASK.exec(line)?.[1];
    if (value !== undefined) this.#mask.register(unescapeCommand(value));
    this.#onLine(this.#mask.mask(line));
  }
}

/** GitHub's workflow commands escape `%`, carriage return and line feed in their values. */
const unescapeCommand = (value: string): string =>
  value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
