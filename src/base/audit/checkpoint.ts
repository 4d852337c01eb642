// Owns checkpoints: what a server signs of how far its audit chains had come. Pure; keys and storage are given.
import * as z from 'zod';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { assembleJws } from '../jwt/assemble.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import { parseJws } from '../jwt/jws.ts';
import { checkType } from '../jwt/token-type.ts';
import { verifyJws } from '../jwt/verify.ts';
import type { Signer } from '../ports/signer.ts';
import type { ChainHead } from './chain.ts';
import type { StoredCheckpoint } from './store.ts';

/** Keeps a checkpoint from passing for any other token of the same keys. */
const CHECKPOINT_TYPE = 'jobpass-checkpoint+jwt';
/** Ten thousand chains and more. */
const MAX_CHECKPOINT_BYTES = 2 * 1024 * 1024;
/** What servers sign with. */
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'];

/** How far every chain had come, and where those begin whose beginning was pruned. */
export interface Checkpoint {
  /** The URL of the server. */
  readonly issuer: string;
  readonly at: EpochSeconds;
  readonly heads: readonly ChainHead[];
  /** The last pruned entry of each chain that was ever pruned. */
  readonly pruned: readonly ChainHead[];
}

/** The checkpoint, signed, as it is stored and anchored. */
export async function signCheckpoint(checkpoint: Checkpoint, signer: Signer): Promise<StoredCheckpoint> {
  const { at, heads, issuer, pruned } = checkpoint;
  const claims = { iss: issuer, iat: at, heads: heads.map(plain), pruned: pruned.map(plain) };
  const jws = await assembleJws({ typ: CHECKPOINT_TYPE, maxBytes: MAX_CHECKPOINT_BYTES }, claims, signer);
  return { at, jws };
}

const plain = ({ hash, sequence, writer }: ChainHead) => ({ writer, sequence, hash });

const head = z.strictObject({ writer: z.string(), sequence: z.int().nonnegative(), hash: z.string() });
const claimsShape = z.object({ iss: z.string(), iat: z.int(), heads: z.array(head), pruned: z.array(head) });

/** A checkpoint whose signature holds, and the key that made it. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly kid: string;
}

/**
 * Opens a checkpoint that one of `keys` signed. Failures: those of parseJws, checkType and verifyJws, and
 * `token_malformed` for claims of another form.
 */
export async function openCheckpoint(
  jws: string,
  keys: readonly VerificationKey[],
): Promise<Result<OpenedCheckpoint, Failure>> {
  const parsed = parseJws(jws, { maxBytes: MAX_CHECKPOINT_BYTES });
  if (!parsed.ok) return parsed;
  const type = checkType(parsed.value.header, CHECKPOINT_TYPE);
  if (!type.ok) return type;
  const key = await verifyJws(parsed.value, keys, { algorithms: ALGORITHMS });
  if (!key.ok) return key;
  const claims = claimsShape.safeParse(parsed.value.claims);
  if (!claims.success) return err(failure('token_malformed', 'the claims are not those of a checkpoint'));
  const { heads, iat, iss, pruned } = claims.data;
  return ok({ issuer: iss, at: iat, heads, pruned, kid: key.value.kid ?? '' });
}
