// Tokens that somebody without the issuer's key could make of a good one. Pure; each is refused by a verifier that looks.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { JsonObject } from '../../../src/base/core/json.ts';
import { encodeBase64url } from '../../../src/base/jwt/base64url.ts';

interface Parts {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly signature: string;
}

const read = (part: string): JsonObject => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
const write = (value: JsonObject): string => encodeBase64url(JSON.stringify(value));

function partsOf(token: string): Parts {
  const [header = '', claims = '', signature = ''] = token.split('.');
  return { header: read(header), claims: read(claims), signature };
}

function signed({ header, claims }: Parts, signer: (input: Buffer) => Buffer): string {
  const input = `${write(header)}.${write(claims)}`;
  return `${input}.${signer(Buffer.from(input)).toString('base64url')}`;
}

function byAnotherKey(token: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return signed(partsOf(token), (input) => sign('sha256', input, privateKey));
}

function withChangedClaims(token: string): string {
  const { header, claims, signature } = partsOf(token);
  return `${write(header)}.${write({ ...claims, jti: 'another' })}.${signature}`;
}

function unsigned(token: string): string {
  const { header, claims } = partsOf(token);
  return `${write({ ...header, alg: 'none' })}.${write(claims)}.`;
}

/** The algorithm confusion of RFC 8725 §2.1: the public key taken for a shared secret. */
function bySharedSecret(token: string, certificate: string): string {
  const parts = partsOf(token);
  const header = { ...parts.header, alg: 'HS256' };
  return signed({ ...parts, header }, (input) => createHmac('sha256', certificate).update(input).digest());
}

/** What was done to the token, and the doing of it; `certificate` is the issuer's, PEM. */
export const FORGERIES: readonly (readonly [string, (token: string, certificate: string) => string])[] = [
  ['signed by another key under the issuer’s key id', byAnotherKey],
  ['whose claims were changed', withChangedClaims],
  ['without a signature', unsigned],
  ['signed with the public certificate as a shared secret', bySharedSecret],
];
