import { randomBytes } from 'node:crypto';
import { CompactEncrypt, decodeProtectedHeader, importJWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import type { JsonObject } from '../base/core/json.ts';
import { KeyEncryptionKey } from './kek.ts';
import { exportPrivate, generatePair, WRAPPING_ALGORITHM } from './material.ts';
import { sealKey } from './stored.ts';
import { GatewayKey, wrapForGateway } from './wrap.ts';

const kek = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 7));
const ring = 'gateway/artifacts';
const open = (store = new MemoryKeyStore()) => GatewayKey.open({ ring, store, kek, clock: new FrozenClock() });
const groupKey = Uint8Array.from(randomBytes(32));

let gateway: GatewayKey;
beforeAll(async () => {
  gateway = await open();
});

const reasonOf = async (jwe: string, key = gateway): Promise<string> => {
  const result = await key.unwrap(jwe);
  return result.ok ? 'ok' : result.error.reason;
};

/** A JWE made with the gateway's key but not by wrapForGateway. */
async function jweOf(content: Uint8Array, header: { alg: string; enc: string; kid?: string }): Promise<string> {
  const key = await importJWK({ ...gateway.publicJwk, alg: header.alg, kty: 'EC' }, header.alg);
  return new CompactEncrypt(content).setProtectedHeader(header).encrypt(key);
}

describe('wrapping', () => {
  it('gives the gateway the key and names the gateway’s key in the header', async () => {
    const jwe = await wrapForGateway(groupKey, gateway.publicJwk);
    expect(await gateway.unwrap(jwe)).toEqual({ ok: true, value: groupKey });
    const { alg, enc, kid, epk } = decodeProtectedHeader(jwe);
    expect([alg, enc, kid, (epk as JsonObject).crv]).toEqual([
      'ECDH-ES+A256KW',
      'A256GCM',
      gateway.publicJwk.kid,
      'P-256',
    ]);
  });

  it('needs nothing but the public members', async () => {
    const { kty, crv, x, y } = gateway.publicJwk as Record<string, string>;
    const bare = { kty, crv, x, y } as JsonObject;
    expect(await reasonOf(await wrapForGateway(groupKey, bare))).toBe('ok');
  });

  it('is refused for keys of another kind, another use, or private ones', async () => {
    const invalid = { code: 'ERR_GATEWAY_KEY_INVALID' };
    const signing = (await generatePair('ES256')).publicJwk;
    const rsa = (await generatePair('RS256')).publicJwk;
    const good = gateway.publicJwk;
    for (const jwk of [
      signing,
      rsa,
      {},
      { ...good, d: 'AQ' },
      { ...good, use: 'sig' },
      { ...good, alg: 'ECDH-ES' },
      { ...good, crv: 'P-384' },
      { ...good, y: good.x ?? null },
    ]) {
      await expect(wrapForGateway(groupKey, jwk)).rejects.toMatchObject(invalid);
    }
  });
});

describe('unwrapping', () => {
  it('refuses a key wrapped to another gateway', async () => {
    const other = await open();
    expect(await reasonOf(await wrapForGateway(groupKey, other.publicJwk))).toBe('key_unknown');
  });

  it('refuses a change in any part', async () => {
    const parts = (await wrapForGateway(groupKey, gateway.publicJwk)).split('.');
    for (const index of parts.keys()) {
      const changed = parts.map((part, at) => {
        const last = part.at(-3) === 'A' ? 'B' : 'A';
        return at === index ? part.slice(0, -3) + last + part.slice(-2) : part;
      });
      expect(await reasonOf(changed.join('.'))).not.toBe('ok');
    }
  });

  it('refuses what is no JWE of the two algorithms', async () => {
    const kid = String(gateway.publicJwk.kid);
    const header = { alg: WRAPPING_ALGORITHM, enc: 'A256GCM', kid };
    expect(await reasonOf(await jweOf(groupKey, header))).toBe('ok');
    expect(await reasonOf(await jweOf(groupKey, { ...header, alg: 'ECDH-ES' }))).toBe('token_malformed');
    expect(await reasonOf(await jweOf(groupKey, { ...header, enc: 'A128GCM' }))).toBe('token_malformed');
    expect(await reasonOf(await jweOf(groupKey, { alg: header.alg, enc: header.enc }))).toBe('token_malformed');
    for (const text of ['', 'a.b.c', '....', 'x'.repeat(100)]) expect(await reasonOf(text)).toBe('token_malformed');
    expect(await reasonOf('x'.repeat(20_000))).toBe('token_too_large');
  });

  it('refuses content that is not a group key', async () => {
    for (const length of [0, 16, 31, 33]) {
      expect(await reasonOf(await wrapForGateway(new Uint8Array(length), gateway.publicJwk))).toBe('token_malformed');
    }
  });
});

describe('the gateway’s key', () => {
  it('is a public P-256 key for wrapping, the same at every opening', async () => {
    const store = new MemoryKeyStore();
    const [one, two] = await Promise.all([open(store), open(store)]);
    expect(Object.keys(one.publicJwk)).toEqual(['crv', 'kty', 'x', 'y', 'kid', 'use', 'alg']);
    expect(one.publicJwk).toMatchObject({ use: 'enc', alg: 'ECDH-ES+A256KW' });
    expect(two.publicJwk).toEqual(one.publicJwk);
    expect(store.keys).toHaveLength(1);
  });

  it('of before still opens what was wrapped to it, until it is revoked', async () => {
    const store = new MemoryKeyStore();
    const before = await open(store);
    const jwe = await wrapForGateway(groupKey, before.publicJwk);
    const { kid, algorithm, publicJwk, ...pair } = await generatePair(WRAPPING_ALGORITHM);
    const next = sealKey(
      { kid, ring, algorithm, state: 'active', stateSince: 2, createdAt: 2, publicJwk },
      exportPrivate({ kid, algorithm, publicJwk, ...pair }),
      kek,
    );
    const [old] = store.keys;
    if (old === undefined) throw new Error('empty');
    store.keys = [{ ...old, state: 'retired' }, next];
    const during = await open(store);
    expect(during.publicJwk.kid).toBe(kid);
    expect(await reasonOf(jwe, during)).toBe('ok');
    store.keys = [{ ...old, state: 'revoked' }, next];
    expect(await reasonOf(jwe, await open(store))).toBe('key_unknown');
  });

  it('does not open when the ring holds a signing key', async () => {
    const store = new MemoryKeyStore();
    const pair = await generatePair('ES256');
    const { kid, algorithm, state, publicJwk } = pair;
    store.keys = [
      sealKey({ kid, ring, algorithm, state, stateSince: 1, createdAt: 1, publicJwk }, exportPrivate(pair), kek),
    ];
    await expect(open(store)).rejects.toMatchObject({ code: 'ERR_KEY_ALGORITHM' });
  });
});
