// Public keys as JWKs: members, thumbprint, certificate. Nothing private passes through here.
import { createHash, type KeyObject } from 'node:crypto';
import { JobpassError } from '../base/core/errors.ts';
import { type JsonObject, stringMember } from '../base/core/json.ts';

/** What a key is for (RFC 7517 §4.2). */
export type KeyUse = 'sig' | 'enc';

/** RFC 7638 §3.2 and RFC 8037 §2: the members that make the key, in the order they are hashed. */
const REQUIRED_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['e', 'kty', 'n']],
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
]);

function essentialMembers(jwk: JsonObject): JsonObject {
  const names = REQUIRED_MEMBERS.get(stringMember(jwk, 'kty') ?? '') ?? [];
  const members = names.map((name) => [name, stringMember(jwk, name)] as const);
  if (names.length === 0 || members.some(([, value]) => value === undefined)) {
    throw new JobpassError('ERR_JWK_INVALID', 'the key is no complete public RSA, EC or OKP key');
  }
  return Object.fromEntries(members) as JsonObject;
}

/** The JWK thumbprint (RFC 7638, SHA-256, base64url). Throws ERR_JWK_INVALID when a required member is missing. */
export const thumbprint = (jwk: JsonObject): string =>
  createHash('sha256')
    .update(JSON.stringify(essentialMembers(jwk)))
    .digest('base64url');

/** The public JWK of a key: its essential members, `kid` (RFC 7638), `use` and `alg`, and nothing private. */
export function publicJwk(key: KeyObject, options: { readonly use: KeyUse; readonly algorithm: string }): JsonObject {
  const members = essentialMembers(key.export({ format: 'jwk' }) as JsonObject);
  return { ...members, kid: thumbprint(members), use: options.use, alg: options.algorithm };
}
