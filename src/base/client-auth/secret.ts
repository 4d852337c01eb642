// Client secrets: making them and hashing them. Nothing here keeps or prints one.
import { createHash } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import { encodeBase64url } from '../jwt/base64url.ts';
import type { Random } from '../ports/random.ts';

/** By it scanners find a secret that was committed by mistake. */
const CLIENT_SECRET_PREFIX = 'jps_';
/** 256 bits: no guess succeeds, so a fast hash is enough (NIST SP 800-63B §5.1.2.2 asks for slow ones below 112 bits). */
const SECRET_BYTES = 32;

/** A new client secret: `jps_` and 43 characters of base64url. */
export const newClientSecret = (random: Random): Secret =>
  new Secret(CLIENT_SECRET_PREFIX + encodeBase64url(random.bytes(SECRET_BYTES)));

/** What a `clients:` entry keeps: SHA-256 of the secret's UTF-8 bytes, lower-case hex. */
export const hashClientSecret = (secret: Secret): string =>
  createHash('sha256').update(secret.reveal(), 'utf8').digest('hex');
