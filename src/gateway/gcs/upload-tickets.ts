// The ids of resumable uploads as clients see them: the store's own, and what was said of the object when the upload began, bound
// to its owner and its object. Nothing is kept here, so that a restart, or another replica, makes no difference.
import { timingSafeEqual } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../base/core/json.ts';
import type { Secret } from '../../base/core/secret.ts';
import { decodeBase64url, encodeBase64url } from '../../base/jwt/base64url.ts';
import type {
  ContinueUploadCall,
  ExpectedHashes,
  ObjectAttributes,
  ObjectName,
  WriteConditions,
} from '../../wire/gcs/call.ts';
import { purposeMac } from '../store-front/owner.ts';

const PURPOSE = 'jobpass gcs upload';

/** An upload that began. */
export interface UploadTicket {
  /** The store's. */
  readonly uploadId: string;
  readonly attributes: ObjectAttributes;
  readonly conditions: WriteConditions;
  readonly hashes: ExpectedHashes;
}

/** An upload that goes on, with what its ticket and the request say. */
export interface OpenUpload {
  readonly call: ContinueUploadCall;
  readonly ticket: UploadTicket;
}

/** Whose upload it is, and of which object. */
export interface TicketScope {
  readonly groupKey: Secret<Uint8Array>;
  readonly owner: string;
  readonly object: ObjectName;
}

/** `<ticket>.<mac>`: the id as its owner sees it. */
export function sealTicket(scope: TicketScope, ticket: UploadTicket): string {
  const text = encodeBase64url(JSON.stringify(ticket));
  return `${text}.${macOf(scope, text)}`;
}

/** The ticket, or undefined when the presented id was not made for this owner and object. */
export function openTicket(scope: TicketScope, presented: string): UploadTicket | undefined {
  const [text = '', mac = '', ...more] = presented.split('.');
  const wanted = Buffer.from(macOf(scope, text));
  // Compared as text: decoders take several spellings for the same bytes.
  const given = Buffer.from(mac);
  if (more.length > 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
  const ticket: unknown = JSON.parse(Buffer.from(decodeBase64url(text) ?? '').toString());
  return isTicket(ticket) ? ticket : undefined;
}

/** Whoever has the MAC had it from here; this only tells the compiler, and an older version's tickets from ours. */
const isTicket = (value: unknown): value is UploadTicket & JsonObject =>
  isJsonObject(value) &&
  typeof value.uploadId === 'string' &&
  [value.attributes, value.conditions, value.hashes].every((member) => isJsonObject(member));

const macOf = ({ groupKey, object, owner }: TicketScope, text: string): string =>
  purposeMac(groupKey, PURPOSE, [object.bucket, object.key, owner, text]);
