// The two request bodies that S3 has in XML: which parts make an object, which keys to delete. Read strictly: an element that
// nobody reads could change what is meant.
import { CHECKSUM_ALGORITHMS, type Checksums } from '../../base/checksum/checksum.ts';
import { ok, type Result } from '../../base/core/result.ts';
import { parseXml, type XmlElement } from '../xml/read.ts';
import { refuse, type S3Error } from './errors.ts';
import { isKeyTooLong } from './names.ts';

/** 10,000 parts with the longest checksum, or 1,000 of the longest keys with every character a reference. */
export const MAX_XML_BYTES = 2 * 1024 * 1024;
const MAX_PARTS = 10_000;
const MAX_KEYS = 1000;
/** Root, part or object, its members. */
const MAX_DEPTH = 3;
/** 10,000 parts with a number, an ETag and every checksum there is. */
const MAX_ELEMENTS = 1 + MAX_PARTS * 8;

/** One part of an upload to complete. */
export interface NamedPart {
  readonly part: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: Checksums;
}

/** Checksums by the name of their element. */
const CHECKSUM_ELEMENTS = new Map(CHECKSUM_ALGORITHMS.map((name) => [`Checksum${name.toUpperCase()}`, name]));

/**
 * The parts of a CompleteMultipartUpload, 1 to 10,000 in rising order. Errors: MalformedXML, InvalidPartOrder,
 * MaxMessageLengthExceeded.
 */
export function decodeCompletion(body: Uint8Array): Result<readonly NamedPart[], S3Error> {
  const root = readRoot(body, 'CompleteMultipartUpload');
  if (!root.ok) return root;
  const parts: NamedPart[] = [];
  for (const element of root.value.children) {
    const part = element.name === 'Part' ? readPart(element) : undefined;
    if (part === undefined) return refuse('MalformedXML');
    if (part.part <= (parts.at(-1)?.part ?? 0)) return refuse('InvalidPartOrder');
    parts.push(part);
  }
  return parts.length >= 1 && parts.length <= MAX_PARTS ? ok(parts) : refuse('MalformedXML');
}

function readPart(element: XmlElement): NamedPart | undefined {
  const members = readMembers(element);
  if (members === undefined) return undefined;
  const checksums: Partial<Record<keyof Checksums, string>> = {};
  for (const [name, value] of members) {
    const algorithm = CHECKSUM_ELEMENTS.get(name);
    if (algorithm !== undefined) checksums[algorithm] = value;
    else if (name !== 'PartNumber' && name !== 'ETag') return undefined;
  }
  const number = members.get('PartNumber')?.trim() ?? '';
  const part = /^[0-9]{1,5}$/.test(number) ? Number(number) : 0;
  const etag = members
    .get('ETag')
    ?.trim()
    .replace(/^"(.*)"$/, '$1');
  return part >= 1 && part <= MAX_PARTS && etag ? { part, etag, checksums } : undefined;
}

/** What a DeleteObjects asks for. Nothing was permitted yet: each key is a decision of its own. */
export interface DeleteRequest {
  /** 1 to 1,000; a key may stand twice. */
  readonly keys: readonly string[];
  /** The answer then tells the errors alone. */
  readonly isQuiet: boolean;
}

/**
 * The keys of a DeleteObjects. Errors: MalformedXML, KeyTooLongError, MaxMessageLengthExceeded; NotImplemented for versions and
 * for conditions on single keys, which would otherwise delete what their sender wanted to keep.
 */
export function decodeDelete(body: Uint8Array): Result<DeleteRequest, S3Error> {
  const root = readRoot(body, 'Delete');
  if (!root.ok) return root;
  const keys: string[] = [];
  let quiet: string | undefined;
  for (const element of root.value.children) {
    if (element.name === 'Object') {
      const key = readKey(element);
      if (!key.ok) return key;
      keys.push(key.value);
    } else if (element.name === 'Quiet' && quiet === undefined && /^(?:true|false)$/.test(element.text.trim())) {
      quiet = element.text.trim();
    } else return refuse('MalformedXML');
  }
  return keys.length >= 1 && keys.length <= MAX_KEYS ? ok({ keys, isQuiet: quiet === 'true' }) : refuse('MalformedXML');
}

const DELETE_CONDITIONS = new Set(['VersionId', 'ETag', 'LastModifiedTime', 'Size']);

function readKey(element: XmlElement): Result<string, S3Error> {
  const members = readMembers(element);
  if (members === undefined) return refuse('MalformedXML');
  for (const name of members.keys()) {
    if (DELETE_CONDITIONS.has(name)) return refuse('NotImplemented', `${name} of a key to delete is not implemented`);
    if (name !== 'Key') return refuse('MalformedXML');
  }
  const key = members.get('Key') ?? '';
  if (key === '') return refuse('MalformedXML');
  return isKeyTooLong(key) ? refuse('KeyTooLongError') : ok(key);
}

function readRoot(body: Uint8Array, name: string): Result<XmlElement, S3Error> {
  if (body.length > MAX_XML_BYTES) return refuse('MaxMessageLengthExceeded');
  const root = parseXml(body, { maxDepth: MAX_DEPTH, maxElements: MAX_ELEMENTS });
  // An element without children may have text, which the root may not.
  return root?.name === name && root.text.trim() === '' ? ok(root) : refuse('MalformedXML');
}

/** The texts of an element's children by name; undefined when a name stands twice or a child has children. */
function readMembers(element: XmlElement): ReadonlyMap<string, string> | undefined {
  const members = new Map<string, string>();
  for (const child of element.children) {
    if (members.has(child.name) || child.children.length > 0) return undefined;
    members.set(child.name, child.text);
  }
  return members;
}
