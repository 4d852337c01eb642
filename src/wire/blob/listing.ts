// The listing of a container as the Blob service writes it.
import { encodeListingToken } from '../listing-token.ts';
import { escapeXml, textElement } from '../xml/write.ts';
import type { ListBlobsCall } from './call.ts';
import { type DescribedBlob, md5Of, XML_PROLOG } from './results.ts';

/** A piece of a listing, both lists in the order of UTF-8 bytes. */
export interface Listing {
  readonly objects: readonly (Omit<DescribedBlob, 'metadata'> & { readonly key: string })[];
  readonly prefixes: readonly string[];
  /** The last entry told; null when there is no more. */
  readonly next: string | null;
}

/** EnumerationResults. `endpoint`: the URL of the account, with a slash at its end. */
export function encodeListing(call: ListBlobsCall, listing: Listing, endpoint: string): string {
  const blobs = listing.objects.map((blob): Entry => [blob.key, blobElement(blob)]);
  const prefixes = listing.prefixes.map(
    (prefix): Entry => [prefix, `<BlobPrefix>${nameElement('Name', prefix)}</BlobPrefix>`],
  );
  const entries = [...blobs, ...prefixes].sort(([one], [other]) =>
    Buffer.compare(Buffer.from(one), Buffer.from(other)),
  );
  return [
    `${XML_PROLOG}<EnumerationResults ServiceEndpoint="${escapeXml(endpoint)}" ContainerName="${escapeXml(call.container)}">`,
    nameElement('Prefix', call.prefix),
    ...(call.marker === null ? [] : [textElement('Marker', call.marker)]),
    ...(call.maxResults === null ? [] : [textElement('MaxResults', String(call.maxResults))]),
    ...(call.delimiter === null ? [] : [nameElement('Delimiter', call.delimiter)]),
    `<Blobs>${entries.map(([, element]) => element).join('')}</Blobs>`,
    textElement('NextMarker', listing.next === null ? '' : encodeListingToken(listing.next)),
    '</EnumerationResults>',
  ].join('');
}

type Entry = readonly [name: string, element: string];

function blobElement(blob: Listing['objects'][number]): string {
  const md5 = md5Of(blob.etag);
  const properties = [
    textElement('Last-Modified', new Date(blob.modifiedAt).toUTCString()),
    textElement('Etag', blob.etag),
    textElement('Content-Length', String(blob.size)),
    ...(blob.contentType === undefined ? [] : [textElement('Content-Type', blob.contentType)]),
    ...(md5 === undefined ? [] : [textElement('Content-MD5', md5)]),
    '<BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>',
  ];
  return `<Blob>${nameElement('Name', blob.key)}<Properties>${properties.join('')}</Properties></Blob>`;
}

/** XML 1.0 §2.2: what no document may hold, not even as a reference. */
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** A name; one that XML cannot hold is percent-encoded and says so (since version 2021-02-12). */
const nameElement = (element: string, name: string): string =>
  NO_XML.test(name)
    ? `<${element} Encoded="true">${escapeXml(encodeURIComponent(name.toWellFormed()))}</${element}>`
    : textElement(element, name);
