// The XML that S3 answers with, as far as the port asks for it, and the one document it is sent. Pure; what cannot be read
// is undefined, never half an answer.
import { parseXml, type XmlElement } from '../../../wire/xml/read.ts';
import type { CompleteOptions, Listing, ObjectInfo, PartInfo, PartListing } from '../store.ts';
import { unquoted } from './headers.ts';

/** A listing of 1,000 objects with every member that any S3 tells. */
const BOUNDS = { maxDepth: 6, maxElements: 40_000 };

const parse = (document: Uint8Array): XmlElement | undefined => parseXml(document, BOUNDS);

const textOf = (element: XmlElement, name: string): string | undefined =>
  element.children.find((child) => child.name === name)?.text;

/** The code of an error document; null for any other document, and for none. */
export function errorCodeOf(document: Uint8Array): string | null {
  const root = parse(document);
  return root?.name === 'Error' ? (textOf(root, 'Code') ?? '') : null;
}

/** What copies, and uploads that became objects, answer. */
export function decodeCopy(document: Uint8Array): { readonly etag: string } | undefined {
  const root = parse(document);
  const etag = root === undefined ? undefined : textOf(root, 'ETag');
  return etag === undefined ? undefined : { etag: unquoted(etag) };
}

export function decodeUploadId(document: Uint8Array): { readonly uploadId: string } | undefined {
  const root = parse(document);
  const uploadId = root?.name === 'InitiateMultipartUploadResult' ? textOf(root, 'UploadId') : undefined;
  return uploadId ? { uploadId } : undefined;
}

/** A ListObjectsV2 with `encoding-type=url`. */
export function decodeListing(document: Uint8Array): Listing | undefined {
  const root = parse(document);
  if (root?.name !== 'ListBucketResult' || textOf(root, 'EncodingType') !== 'url') return undefined;
  const objects = root.children.filter(({ name }) => name === 'Contents').map(objectOf);
  const prefixes = root.children
    .filter(({ name }) => name === 'CommonPrefixes')
    .map((element) => unescaped(textOf(element, 'Prefix')));
  if (!areAllKnown(objects) || !areAllKnown(prefixes)) return undefined;
  const isTruncated = textOf(root, 'IsTruncated') === 'true';
  const last = [objects.at(-1)?.key, prefixes.at(-1)]
    .filter((name) => name !== undefined)
    .sort(byBytes)
    .at(-1);
  // An answer that goes on after nothing would go on for ever.
  if (isTruncated && last === undefined) return undefined;
  return { objects, prefixes, isTruncated, next: isTruncated ? (last ?? null) : null };
}

function objectOf(element: XmlElement): ObjectInfo | undefined {
  const key = unescaped(textOf(element, 'Key'));
  const size = countOf(textOf(element, 'Size'));
  const modifiedAt = Date.parse(textOf(element, 'LastModified') ?? '');
  const etag = textOf(element, 'ETag');
  if (key === undefined || size === undefined || etag === undefined || Number.isNaN(modifiedAt)) return undefined;
  return { key, size, etag: unquoted(etag), modifiedAt, generation: modifiedAt, checksums: {}, metadata: {} };
}

export function decodeParts(document: Uint8Array): PartListing | undefined {
  const root = parse(document);
  if (root?.name !== 'ListPartsResult') return undefined;
  const parts = root.children.filter(({ name }) => name === 'Part').map(partOf);
  if (!areAllKnown(parts)) return undefined;
  const isTruncated = textOf(root, 'IsTruncated') === 'true';
  const last = parts.at(-1)?.part;
  if (isTruncated && last === undefined) return undefined;
  return { checksumAlgorithm: null, parts, isTruncated, next: isTruncated ? (last ?? null) : null };
}

function partOf(element: XmlElement): PartInfo | undefined {
  const part = countOf(textOf(element, 'PartNumber'));
  const size = countOf(textOf(element, 'Size'));
  const etag = textOf(element, 'ETag');
  const modifiedAt = Date.parse(textOf(element, 'LastModified') ?? '');
  if (part === undefined || size === undefined || etag === undefined || Number.isNaN(modifiedAt)) return undefined;
  return { part, size, etag: unquoted(etag), checksums: {}, modifiedAt };
}

/** ETags are hex and a hyphen; anything else came from no store of ours and would not be a part's. */
export const encodeCompletion = (parts: CompleteOptions['parts']): string =>
  `<CompleteMultipartUpload>${parts
    .map(
      ({ part, etag }) =>
        `<Part><PartNumber>${part}</PartNumber><ETag>"${etag.replace(/[^0-9A-Za-z-]/g, '')}"</ETag></Part>`,
    )
    .join('')}</CompleteMultipartUpload>`;

const areAllKnown = <T>(items: readonly (T | undefined)[]): items is readonly T[] => !items.includes(undefined);

const countOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;

/** `encoding-type=url`: as in a form, so "+" is a space. */
function unescaped(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
