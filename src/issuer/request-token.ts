// Request tokens: how they are made and under which hash they are kept. The token itself is kept nowhere.
import { createHash } from 'node:crypto';
import { Secret } from '../base/core/secret.ts';
import { encodeBase64url } from '../base/jwt/base64url.ts';
import type { Random } from '../base/ports/random.ts';
import type { RequestToken } from './store.ts';

/** By it scanners find a request token that leaked into a log. */
const REQUEST_TOKEN_PREFIX = 'jpr_';

/** One for each start that was repeated and each step that has its own; a job with more has lost count of them. */
export const MAX_REQUEST_TOKENS = 16;

const REQUEST_TOKEN_BYTES = 32;

/** A new token of 256 random bits. */
export const newRequestToken = (random: Random): Secret =>
  new Secret(`${REQUEST_TOKEN_PREFIX}${encodeBase64url(random.bytes(REQUEST_TOKEN_BYTES))}`);

/**
 * What the store keeps of it: SHA-256, base64url. With 256 random bits no slow hash is needed, and finding a token by
 * its hash takes no time that depends on how much of it was right.
 */
export const hashRequestToken = (token: Secret): string =>
  createHash('sha256').update(token.reveal()).digest('base64url');

/** The record of `token`; `audiences` null: all that the job may ask for. */
export const requestTokenRecord = (
  token: Secret,
  jobId: string,
  audiences: readonly string[] | null,
): RequestToken => ({ hash: hashRequestToken(token), jobId, audiences });
