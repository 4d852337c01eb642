// The ids of blocks. Azure lets clients choose them freely and name them in any order; stores of objects number their parts. So
// the ids that are served are those whose last five characters are the number of the block, as the SDKs make them.
import { ok, type Result } from '../../base/core/result.ts';
import type { BlockId } from './call.ts';
import { type BlobError, refuse } from './errors.ts';

/** Azure's bound on an id, decoded. */
const MAX_ID_BYTES = 64;
const NUMBER_CHARS = 5;
/** Stores take parts 1 to 10,000. */
const MAX_NUMBER = 9999;

const EXPECTED = `Here a block ID, decoded, ends in the ${NUMBER_CHARS} decimal digits of the block's number, as the SDKs make them.`;

/**
 * What an id says. `InvalidBlockId`: not canonical base64 of 1 to 64 bytes, or another form than the SDKs'.
 * `BlockCountExceedsLimit`: a number beyond 9999.
 */
export function readBlockId(id: string): Result<BlockId, BlobError> {
  const bytes = Buffer.from(id, 'base64');
  if (bytes.length === 0 || bytes.length > MAX_ID_BYTES || bytes.toString('base64') !== id)
    return refuse('InvalidBlockId');
  const digits = bytes.subarray(-NUMBER_CHARS).toString('latin1');
  if (!/^[0-9]{5}$/.test(digits)) return refuse('InvalidBlockId', EXPECTED);
  const number = Number(digits);
  if (number > MAX_NUMBER) return refuse('BlockCountExceedsLimit');
  return ok({ id, upload: bytes.subarray(0, -NUMBER_CHARS).toString('hex'), number });
}
