// Intake of public keys (RFC 7517): a set becomes keys that may be believed, and a problem for each one that may not.
// It fetches nothing and verifies nothing.
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue, ownMember, stringMember } from '../core/json.ts';
import { MAX_JWKS_KEYS } from '../core/limits.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import { ALGORITHMS_OF, type KeyKind } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { rsaWeakness, unsignedInteger } from './rsa-strength.ts';

/** A key that passed every check of `importKeySet`, imported once. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /** The key's own `alg`; for a key without one, the first of `algorithms`. */
  readonly algorithm: string;
  /** What it may verify: its `alg` alone, or, when it names none, every algorithm of its kind and curve. */
  readonly algorithms: readonly string[];
  /** Another key of the set has the same `kid`: `verifyJws` uses neither (RFC 7517 §4.5 leaves the choice open). */
  readonly ambiguous: boolean;
  /** The imported key; `jose` keeps its own form of it for as long as this object lives, so no verification imports. */
  readonly material: KeyObject;
}

export interface KeySet {
  readonly keys: readonly VerificationKey[];
  /** One line for each key that was left out or is ambiguous, for the operator. */
  readonly problems: readonly string[];
}

export interface KeySetOptions {
  /**
   * The set holds shared secrets (`oct`) and nothing else; one asymmetric key in it refuses the set. Off by default,
   * and no caller in this program turns it on: trust between parties is asymmetric. It exists so that the published
   * HMAC vectors run through this very code.
   */
  readonly symmetric?: boolean;
}

/**
 * Takes a JWKS as parsed by strict JSON. A key is left out, with a problem, when it is not an object, is of an unknown
 * type or curve, carries private members or is symmetric (RFC 7518 §6.3.2), is not for verifying (`use`, `key_ops`),
 * names an algorithm that does not fit it, is too weak, or is not a point of its curve; the good ones beside it stay.
 * `x5c`, `x5u` and other members are ignored: nothing is fetched. A key whose `kid` another one has, be that one good or
 * not (keys with another `use` aside), stays as `ambiguous`, with a problem.
 * Failure (`key_unusable`): not an object with a `keys` array, more than MAX_JWKS_KEYS keys, or a mixed symmetric set.
 */
export function importKeySet(jwks: JsonValue, options: KeySetOptions = {}): Result<KeySet, Failure> {
  const symmetric = options.symmetric ?? false;
  const entries = isJsonObject(jwks) ? ownMember(jwks, 'keys') : undefined;
  if (!Array.isArray(entries)) return err(failure('key_unusable', 'the key set has no "keys" array'));
  if (entries.length > MAX_JWKS_KEYS) {
    return err(failure('key_unusable', `the key set has ${entries.length} keys; at most ${MAX_JWKS_KEYS} are taken`));
  }
  if (symmetric && !entries.every((entry) => isJsonObject(entry) && entry.kty === 'oct')) {
    return err(failure('key_unusable', 'the key set mixes shared secrets with other keys'));
  }
  const keys: VerificationKey[] = [];
  const repeated = repeatedKids(entries);
  const problems = [...repeated].map((kid) => `key ${quote(kid)}: several keys have this "kid"; none of them is used`);
  entries.forEach((entry: JsonValue, index) => {
    const imported = importKey(entry, { symmetric, repeated });
    if (imported.ok) keys.push(imported.value);
    else problems.push(`${nameOf(entry, index)}: ${imported.error}`);
  });
  return ok({ keys, problems });
}

/** How a key is called in a problem: its `kid`, or its place in the set. */
function nameOf(entry: JsonValue, index: number): string {
  const kid = isJsonObject(entry) ? stringMember(entry, 'kid') : undefined;
  return kid === undefined ? `key ${index + 1}` : `key ${quote(kid)}`;
}

/** The `kid`s that stand more than once, among all entries that do not say they are for something else. */
function repeatedKids(entries: readonly JsonValue[]): ReadonlySet<string> {
  const kids = entries.flatMap((entry) => {
    if (!isJsonObject(entry) || isForOtherUse(entry)) return [];
    return stringMember(entry, 'kid') ?? [];
  });
  return new Set(kids.filter((kid, index) => kids.indexOf(kid) !== index));
}

const isForOtherUse = (jwk: JsonObject): boolean => Object.hasOwn(jwk, 'use') && jwk.use !== 'sig';

function importKey(
  entry: JsonValue,
  set: { readonly symmetric: boolean; readonly repeated: ReadonlySet<string> },
): Result<VerificationKey, string> {
  if (!isJsonObject(entry)) return err('not a JSON object');
  const kind = kindOf(entry);
  if (kind === undefined) return err('an unknown key type or curve');
  if ((kind === 'oct') !== set.symmetric) return err('a shared secret has no place in a public key set');
  const misuse = misuseOf(entry, kind);
  if (misuse !== undefined) return err(misuse);
  const algorithms = algorithmsOf(entry, kind);
  const [algorithm] = algorithms;
  if (algorithm === undefined) return err('its "alg" is not one of those that its type and curve allow');
  const material = kind === 'oct' ? importSecret(entry) : importPublic(entry, kind);
  if (!material.ok) return material;
  const kid = stringMember(entry, 'kid');
  const ambiguous = kid !== undefined && set.repeated.has(kid);
  return ok({ kid, algorithm, algorithms, ambiguous, material: material.value });
}

function kindOf(jwk: JsonObject): KeyKind | undefined {
  const curve = stringMember(jwk, 'crv');
  const name = [stringMember(jwk, 'kty'), curve].filter((part) => part !== undefined).join(' ');
  return isKeyKind(name) ? name : undefined;
}

const isKeyKind = (name: string): name is KeyKind => Object.hasOwn(ALGORITHMS_OF, name);

/** RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2: members that only private keys have. `k` is the symmetric one, `priv` AKP's. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'] as const;

/** Why the key is not a public key for verifying, or undefined when it is. */
function misuseOf(jwk: JsonObject, kind: KeyKind): string | undefined {
  const secret = [...PRIVATE_MEMBERS, ...(kind === 'oct' ? [] : ['k'])].find((name) => Object.hasOwn(jwk, name));
  if (secret !== undefined) return `it carries the private member "${secret}": its owner must replace it`;
  if (Object.hasOwn(jwk, 'kid') && stringMember(jwk, 'kid') === undefined) return 'its "kid" is not a string';
  if (isForOtherUse(jwk)) return 'its "use" is not "sig"';
  if (!Object.hasOwn(jwk, 'key_ops')) return undefined;
  const operations = jwk.key_ops;
  const isForVerifying = Array.isArray(operations) && operations.includes('verify');
  return isForVerifying ? undefined : 'its "key_ops" do not include "verify"';
}

/** What the key may verify; empty when its `alg` does not fit it. One algorithm per key when it names one. */
function algorithmsOf(jwk: JsonObject, kind: KeyKind): readonly string[] {
  const fitting = ALGORITHMS_OF[kind];
  return Object.hasOwn(jwk, 'alg') ? fitting.filter((algorithm) => algorithm === jwk.alg) : fitting;
}

/** RFC 7518 §6.2.1.2, RFC 8037 §2: coordinates have the full length of the curve's field. */
const COORDINATE_BYTES = { 'EC P-256': 32, 'EC P-384': 48, 'EC P-521': 66, 'OKP Ed25519': 32 } as const;

function importPublic(jwk: JsonObject, kind: Exclude<KeyKind, 'oct'>): Result<KeyObject, string> {
  const members =
    kind === 'RSA' ? (['n', 'e'] as const) : kind === 'OKP Ed25519' ? (['x'] as const) : (['x', 'y'] as const);
  const values = members.map((name) => decodeBase64url(stringMember(jwk, name) ?? '='));
  if (!values.every((value) => value !== undefined)) return err('its public members are not canonical base64url');
  const problem = kind === 'RSA' ? rsaProblem(values) : coordinateProblem(values, COORDINATE_BYTES[kind]);
  if (problem !== undefined) return err(problem);
  // Only what was checked goes into the key; everything else in the JWK stays outside.
  const checked = Object.fromEntries(['kty', 'crv', ...members].map((name) => [name, stringMember(jwk, name)]));
  try {
    return ok(createPublicKey({ key: checked, format: 'jwk' }));
  } catch {
    return err('it is not a valid public key of its type');
  }
}

/** A leading zero octet is tolerated (RFC 7518 §6.3.1.1 tells of libraries that write one); the numbers are checked. */
function rsaProblem(values: readonly Uint8Array[]): string | undefined {
  const [modulus = 0n, exponent = 0n] = values.map(unsignedInteger);
  return rsaWeakness(modulus, exponent);
}

function coordinateProblem(values: readonly Uint8Array[], bytes: number): string | undefined {
  return values.every((value) => value.length === bytes) ? undefined : `its coordinates do not have ${bytes} bytes`;
}

/** RFC 7518 §3.2: an HMAC key is at least as long as the hash. */
function importSecret(jwk: JsonObject): Result<KeyObject, string> {
  const algorithm = stringMember(jwk, 'alg');
  const secret = decodeBase64url(stringMember(jwk, 'k') ?? '=');
  if (algorithm === undefined || secret === undefined) return err('a shared secret needs "alg" and a base64url "k"');
  if (secret.length * 8 < Number(algorithm.slice(2))) return err(`a shared secret too short for ${algorithm}`);
  return ok(createSecretKey(secret));
}
