// Carries out resumable uploads, each for its owner alone. An object that comes in one piece is written in one; pieces are parts
// of an upload of the store, and what was put together of them has no MD5, as Google's composite objects.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { ContinueUploadCall, StartUploadCall } from '../../wire/gcs/call.ts';
import { gcsError } from '../../wire/gcs/errors.ts';
import { hashBody, joinHashes } from '../../wire/gcs/hashes.ts';
import { writePermissions } from '../../wire/gcs/permissions.ts';
import type { Content } from '../objects/store.ts';
import { uploadOwner } from '../store-front/owner.ts';
import { describeWrite, readJsonBody } from './described.ts';
import { type GcsRefusal, refusalOf } from './refusal.ts';
import { continuePieces } from './upload-pieces.ts';
import { type OpenUpload, openTicket, sealTicket, type TicketScope } from './upload-tickets.ts';
import { declined, failed, type Outcome, type Work, written } from './work.ts';

/** StartUpload: the URL in the answer is good for this role and job only, and only with a credential of theirs. */
export async function startUpload(work: Work, call: StartUploadCall): Promise<Outcome> {
  const json = await readJsonBody(work);
  if (!json.ok) return json;
  const described = describeWrite(work, call, { json: json.value, contentType: call.contentType });
  if (!described.ok) return described;
  const { attributes, hashes, object } = described.value;
  const created = await work.store.createUpload(object, { attributes, checksumAlgorithm: 'crc32c' });
  if (!created.ok) return failed(work, call.bucket, created.error);
  const { uploadId } = created.value;
  const ticket = sealTicket(scopeOf(work, object), { uploadId, attributes, conditions: call.conditions, hashes });
  const query = `uploadType=resumable&name=${encodeURIComponent(object.key)}&upload_id=${ticket}`;
  const location = `${work.place.url}/upload/storage/v1/b/${object.bucket}/o?${query}`;
  return ok({ status: 200, headers: { location }, body: null });
}

/** ContinueUpload: bytes, or the question how many arrived. */
export async function continueUpload(work: Work, call: ContinueUploadCall): Promise<Outcome> {
  const opened = openUpload(work, call);
  if (!opened.ok) return opened;
  const { span } = call;
  const isWhole =
    span.kind === 'rest' ? span.first === 0 : span.kind === 'bytes' && span.first === 0 && span.last + 1 === span.total;
  const isNothing = span.kind === 'query' && span.total === 0;
  return isWhole || isNothing ? putWhole(work, opened.value) : continuePieces(work, opened.value);
}

function openUpload(work: Work, call: ContinueUploadCall): Result<OpenUpload, GcsRefusal> {
  const { session } = work;
  const ticket = openTicket(scopeOf(work, call), call.uploadId);
  if (ticket === undefined) {
    const why = failure('upload_unknown', `the id is not one of this role and job for ${JSON.stringify(call.key)}`);
    return err(refusalOf(why, { session, error: gcsError('notFound', 'There is no such upload.') }));
  }
  const hashes = joinHashes(ticket.hashes, call.hashes);
  if (hashes === undefined) {
    const error = gcsError('invalid', 'The hashes contradict those that the upload began with.');
    return err(refusalOf(failure('payload_mismatch', error.message), { session, error }));
  }
  const decided = work.decide(writePermissions(call, ticket.conditions));
  return decided.ok ? ok({ call, ticket: { ...ticket, hashes } }) : decided;
}

/** The whole object in one request, as it is written without an upload. The store's own upload was for nothing. */
async function putWhole(work: Work, { call, ticket }: OpenUpload): Promise<Outcome> {
  const { attributes, conditions, hashes, uploadId } = ticket;
  const { bucket, key, span } = call;
  const size = span.kind === 'bytes' ? span.last + 1 : span.kind === 'query' ? 0 : work.bodyBytes;
  if (work.bodyBytes !== null && work.bodyBytes !== size) {
    return declined(gcsError('badRequest', 'Content-Range and Content-Length contradict each other.'));
  }
  const content: Content = { ...hashBody(work.body, hashes), size };
  const stored = await work.store.put({ bucket, key }, { content, attributes, conditions, signal: work.signal });
  if (!stored.ok) return failed(work, bucket, stored.error);
  // Whether it succeeds or not: an upload that is left over is as one that its owner forgot.
  await work.store.abortUpload({ bucket, key, uploadId });
  return written(work, bucket, stored.value, content.checksums());
}

const scopeOf = ({ groupKeys, session }: Work, object: TicketScope['object']): TicketScope => ({
  groupKeys,
  owner: uploadOwner(session),
  object,
});
