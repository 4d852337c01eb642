// The ids of resumable uploads as clients see them: the store's own, and what was said of the object when the upload began, bound
// to its owner and its object. Nothing is kept here, so that a restart, or another replica, makes no difference.
import { isJsonObject, type JsonObject } from '../../base/core/json.ts';
import { decodeBase64url, encodeBase64url } from '../../base/jwt/base64url.ts';
import type { GroupKey, GroupKeys } from '../../keys/group-key.ts';
import type {
  ContinueUploadCall,
  ExpectedHashes,
  ObjectAttributes,
  ObjectName,
  WriteConditions,
} from '../../wire/gcs/call.ts';
import { isSameText, purposeMac } from '../store-front/owner.ts';

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
  readonly groupKeys: GroupKeys;
  readonly owner: string;
  readonly object: ObjectName;
}

/** `<ticket>.<mac>`: the id as its owner sees it. */
export function sealTicket(scope: TicketScope, ticket: UploadTicket): string {
  const text = encodeBase64url(JSON.stringify(ticket));
  return `${text}.${macOf(scope, text, scope.groupKeys.active)}`;
}

/** The ticket, or undefined when the presented id was not made for this owner and object. */
export function openTicket(scope: TicketScope, presented: string): UploadTicket | undefined {
  const [text = '', mac = '', ...more] = presented.split('.');
  // Made with whichever key was the active one then.
  const isOwn = scope.groupKeys.living.some((key) => isSameText(mac, macOf(scope, text, key)));
  if (more.length > 0 || !isOwn) return undefined;
  const ticket: unknown = JSON.parse(Buffer.from(decodeBase64url(text) ?? '').toString());
  return isTicket(ticket) ? ticket : undefined;
}

/** Whoever has the MAC had it from here; this only tells the compiler, and an older version's tickets from ours. */
const isTicket = (value: unknown): value is UploadTicket & JsonObject =>
  isJsonObject(value) &&
  typeof value.uploadId === 'string' &&
  [value.attributes, value.conditions, value.hashes].every((member) => isJsonObject(member));

const macOf = ({ object, owner }: TicketScope, text: string, { key }: GroupKey): string =>
  purposeMac(key, PURPOSE, [object.bucket, object.key, owner, text]);
