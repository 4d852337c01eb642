// Session tags and session policy in the little room that a session token has for them. Bounded in both directions: what would
// not be taken apart again is not packed.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { isStatements, type Statement, statementsJson } from '../core/permissions.ts';
import { parseJsonObject } from '../json/parse.ts';
import { decodeBase64url, encodeBase64url } from '../jwt/base64url.ts';
import { isStrings } from './credential-form.ts';

/** 100 % of what AWS calls PackedPolicySize, in characters of the token: with all else it stays well below 8 KB. */
export const MAX_PACKED_BYTES = 3072;
/** Ten named policies of 6,144 characters and an inline one of 2,048 are below it. */
const MAX_UNPACKED_BYTES = 96 * 1024;
/** A handful of tags. */
const MAX_STORED_BYTES = 512;

/** What is packed. */
export interface Packable {
  readonly tags: Readonly<Record<string, string>>;
  /** Null: there is none. An empty list, which allows nothing, is another thing. */
  readonly policy: readonly Statement[] | null;
}

/** The packed text, null when there is nothing to pack, and how much of the room it takes, in whole percent rounded up. */
export interface Packed {
  readonly text: string | null;
  /** Above 100 it does not fit, and no token may carry it. */
  readonly percent: number;
}

/** Packs tags and session policy: JSON, raw DEFLATE (RFC 1951), base64url. */
export function pack({ tags, policy }: Packable): Packed {
  if (Object.keys(tags).length === 0 && policy === null) return { text: null, percent: 0 };
  const json = Buffer.from(JSON.stringify({ tags, ...(policy === null ? {} : { policy: statementsJson(policy) }) }));
  const text = encodeBase64url(deflated(json));
  const share = Math.max(text.length / MAX_PACKED_BYTES, json.length / MAX_UNPACKED_BYTES);
  return { text, percent: Math.ceil(share * 100) };
}

/** Preparing DEFLATE takes longer than all else of a session token; so little is as good as it is. */
const deflated = (json: Buffer): Uint8Array =>
  json.length <= MAX_STORED_BYTES ? stored(json) : deflateRawSync(json, { level: 9 });

/** RFC 1951 §3.2.4: one last block, its length, the complement of that, and the bytes themselves. */
function stored(json: Buffer): Uint8Array {
  const head = Buffer.from([1, 0, 0, 0, 0]);
  head.writeUInt16LE(json.length, 1);
  head.writeUInt16LE(0xffff - json.length, 3);
  return Buffer.concat([head, json]);
}

/** What `pack` packed; undefined for anything else, and for what unpacks to more than it takes. */
export function unpack(text: string): Packable | undefined {
  const bytes = text.length > MAX_PACKED_BYTES ? undefined : decodeBase64url(text);
  const json = bytes === undefined ? undefined : inflate(bytes);
  const parsed = json === undefined ? undefined : parseJsonObject(json);
  if (!parsed?.ok) return undefined;
  const { tags, policy, ...others } = parsed.value;
  if (tags === undefined || !isStrings(tags) || Object.keys(others).length > 0) return undefined;
  if (policy === undefined) return { tags, policy: null };
  return isStatements(policy) ? { tags, policy } : undefined;
}

function inflate(bytes: Uint8Array): Uint8Array | undefined {
  try {
    // Stops at the bound instead of growing: a few bytes can stand for gigabytes.
    return inflateRawSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch {
    return undefined;
  }
}
