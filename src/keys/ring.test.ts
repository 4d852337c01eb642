import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { JobpassError } from '../base/core/errors.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { parseJws } from '../base/jwt/jws.ts';
import { verifyJws } from '../base/jwt/verify.ts';
import type { SigningAlgorithm } from '../base/ports/signer.ts';
import { publicJwk, thumbprint } from './jwks.ts';
import { KeyEncryptionKey } from './kek.ts';
import { exportPrivate, generatePair } from './material.ts';
import { KeyRing } from './ring.ts';
import type { KeyState, StoredKey } from './store.ts';
import { sealKey } from './stored.ts';

const kek = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 7));
const clock = new FrozenClock();

const open = (
  store: MemoryKeyStore,
  options: { ring?: string; algorithm?: SigningAlgorithm; kek?: KeyEncryptionKey } = {},
) => KeyRing.open({ ring: 'access-token', algorithm: 'ES256', store, kek, clock, ...options });

const codeOf = async (opening: Promise<unknown>): Promise<string> => {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof JobpassError ? error.code : String(error);
};

/** A key of the ring in the given state, as rotation will make it. */
async function stored(
  state: KeyState,
  options: { ring?: string; algorithm?: SigningAlgorithm } = {},
): Promise<StoredKey> {
  const { ring = 'access-token', algorithm = 'ES256' } = options;
  const pair = await generatePair(algorithm);
  const { kid, publicJwk: jwk } = pair;
  return sealKey(
    { kid, ring, algorithm, state, stateSince: 1, createdAt: 1, publicJwk: jwk },
    exportPrivate(pair),
    kek,
  );
}

const first = (store: MemoryKeyStore): StoredKey => {
  const [key] = store.keys;
  if (key === undefined) throw new Error('the store is empty');
  return key;
};

const kidsOf = (ring: KeyRing) => ring.publicJwks().keys.map((key) => key.kid);

describe('opening', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'an empty ring makes one %s key that signs and verifies',
    async (algorithm) => {
      const store = new MemoryKeyStore();
      const ring = await open(store, { algorithm });
      const token = parseJws(await assembleJws({ typ: 'JWT' }, { sub: 'x' }, ring.signer()));
      if (!token.ok) throw new Error(token.error.detail);
      const verified = await verifyJws(token.value, ring.verificationKeys(), { algorithms: [algorithm] });
      expect(verified.ok && verified.value.kid).toBe(ring.signer().kid);
      expect(store.keys).toMatchObject([
        { ring: 'access-token', algorithm, state: 'active', createdAt: clock.nowSeconds() },
      ]);
    },
  );

  it('again gives the same key', async () => {
    const store = new MemoryKeyStore();
    const [one, two] = [await open(store), await open(store)];
    expect(two.publicJwks()).toEqual(one.publicJwks());
    expect(store.keys).toHaveLength(1);
  });

  it('by several replicas at once ends with one key for all', async () => {
    const store = new MemoryKeyStore();
    const rings = await Promise.all(Array.from({ length: 5 }, () => open(store)));
    expect(store.keys).toHaveLength(1);
    expect(new Set(rings.map((ring) => ring.signer().kid)).size).toBe(1);
  });

  it('keeps rings apart', async () => {
    const store = new MemoryKeyStore();
    const [tokens, access] = [await open(store, { ring: 'id-token' }), await open(store)];
    expect(tokens.signer().kid).not.toBe(access.signer().kid);
    expect(store.keys).toHaveLength(2);
  });

  it('refuses an algorithm other than the active key’s', async () => {
    const store = new MemoryKeyStore();
    await open(store, { algorithm: 'EdDSA' });
    expect(await codeOf(open(store, { algorithm: 'ES256' }))).toBe('ERR_KEY_ALGORITHM');
    expect(await codeOf(open(store, { algorithm: 'EdDSA' }))).toBe('undefined');
  });
});

describe('at rest', () => {
  it('the private key is in no part of the record', async () => {
    const store = new MemoryKeyStore();
    const pair = await generatePair('ES256');
    store.keys = [
      sealKey(
        {
          kid: pair.kid,
          ring: 'access-token',
          algorithm: 'ES256',
          state: 'active',
          stateSince: 1,
          createdAt: 1,
          publicJwk: pair.publicJwk,
        },
        exportPrivate(pair),
        kek,
      ),
    ];
    const { d } = pair.privateKey.export({ format: 'jwk' });
    const secret = Buffer.from(String(d), 'base64url');
    expect(Buffer.from(exportPrivate(pair)).includes(secret)).toBe(true);
    expect(Buffer.from(first(store).sealed).includes(secret)).toBe(false);
    expect(JSON.stringify(first(store).publicJwk)).not.toContain(d);
    expect((await open(store)).signer().kid).toBe(pair.kid);
  });

  it('another key-encryption key opens nothing and says so with a hint', async () => {
    const store = new MemoryKeyStore();
    await open(store);
    const other = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 8));
    const error = await open(store, { kek: other }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_KEY_UNREADABLE', hint: expect.stringContaining('key-encryption key') });
  });

  it('a record moved to another ring, renamed, or given other secret bytes does not open', async () => {
    const store = new MemoryKeyStore();
    const key = await stored('active');
    const other = await stored('active');
    for (const changed of [
      { ...key, ring: 'id-token' },
      { ...key, kid: other.kid },
      { ...key, sealed: other.sealed },
      { ...key, algorithm: 'EdDSA' },
      { ...key, algorithm: 'toString' },
    ]) {
      store.keys = [changed];
      expect(await codeOf(open(store, { ring: changed.ring }))).toBe('ERR_KEY_UNREADABLE');
    }
    store.keys = [key];
    expect(await codeOf(open(store))).toBe('undefined');
  });

  it('a public key written into the store is never published', async () => {
    const planted = publicJwk(createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), {
      use: 'sig',
      algorithm: 'ES256',
    });
    const store = new MemoryKeyStore();
    const key = await stored('active');
    store.keys = [{ ...key, publicJwk: planted }];
    expect(kidsOf(await open(store))).toEqual([key.kid]);
    store.keys = [key, { ...key, kid: thumbprint(planted), state: 'retired', publicJwk: planted }];
    expect(await codeOf(open(store))).toBe('ERR_KEY_UNREADABLE');
  });
});

describe('states', () => {
  it('only the active key signs; all but expired and revoked ones are published, the active one first, and verify', async () => {
    const store = new MemoryKeyStore();
    const [revoked, expired, retired, active, prepared] = [
      await stored('revoked'),
      await stored('expired'),
      await stored('retired'),
      await stored('active'),
      await stored('prepared'),
    ];
    store.keys = [revoked, expired, retired, active, prepared];
    const ring = await open(store);
    expect(ring.signer().kid).toBe(active.kid);
    expect(kidsOf(ring)).toEqual([active.kid, retired.kid, prepared.kid]);
    expect(ring.verificationKeys().map((key) => key.kid)).toEqual([active.kid, retired.kid, prepared.kid]);
  });

  it('a ring may hold keys of several algorithms', async () => {
    const store = new MemoryKeyStore();
    store.keys = [await stored('retired', { algorithm: 'EdDSA' }), await stored('active')];
    expect((await open(store)).publicJwks().keys.map((key) => key.alg)).toEqual(['ES256', 'EdDSA']);
  });

  it('a ring without an active key, or with two, does not open', async () => {
    const store = new MemoryKeyStore();
    store.keys = [await stored('prepared'), await stored('retired'), await stored('revoked')];
    expect(await codeOf(open(store))).toBe('ERR_KEY_RING');
    store.keys = [await stored('active'), await stored('active')];
    expect(await codeOf(open(store))).toBe('ERR_KEY_RING');
  });
});

describe('the JWKS', () => {
  const store = new MemoryKeyStore();
  let ring: KeyRing;
  beforeAll(async () => {
    ring = await open(store, { ring: 'id-token', algorithm: 'RS256' });
  });

  it('has kid by RFC 7638, use, alg, and a certificate of the key for the issuer', () => {
    const [key, ...others] = ring.publicJwks().keys;
    if (key === undefined) throw new Error('empty');
    expect(others).toEqual([]);
    expect(Object.keys(key)).toEqual(['e', 'kty', 'n', 'kid', 'use', 'alg', 'x5c']);
    expect(key).toMatchObject({ kty: 'RSA', use: 'sig', alg: 'RS256', kid: thumbprint(key) });
    const certificate = new X509Certificate(Buffer.from(String((key.x5c as string[])[0]), 'base64'));
    expect(certificate.publicKey.export({ format: 'jwk' })).toMatchObject({ n: key.n, e: key.e });
  });

  it('has the same certificate after a restart', async () => {
    expect((await open(store, { ring: 'id-token', algorithm: 'RS256' })).publicJwks()).toEqual(ring.publicJwks());
  });

  it('has no certificate for EdDSA, nor outside the issuer’s ring', async () => {
    const eddsa = await open(new MemoryKeyStore(), { ring: 'id-token', algorithm: 'EdDSA' });
    const access = await open(new MemoryKeyStore());
    for (const key of [...eddsa.publicJwks().keys, ...access.publicJwks().keys]) expect(key.x5c).toBeUndefined();
  });

  it('never shows another key’s certificate', async () => {
    const [own, other] = [new MemoryKeyStore(), new MemoryKeyStore()];
    await open(own, { ring: 'id-token' });
    await open(other, { ring: 'id-token' });
    own.keys = [{ ...first(own), publicJwk: first(other).publicJwk }];
    expect(await codeOf(open(own, { ring: 'id-token' }))).toBe('ERR_KEY_UNREADABLE');
  });
});
