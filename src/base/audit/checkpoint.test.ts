import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { assembleJws } from '../jwt/assemble.ts';
import { importKeySet } from '../jwt/jwk.ts';
import type { Signer } from '../ports/signer.ts';
import { type Checkpoint, openCheckpoint, signCheckpoint } from './checkpoint.ts';

function keyPair(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = importKeySet({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] });
  if (!keys.ok) throw new Error(keys.error.detail);
  return { signer: signerOf(privateKey, kid), keys: keys.value.keys };
}

const signerOf = (key: KeyObject, kid: string): Signer => ({
  kid,
  algorithm: 'ES256',
  sign: async (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }),
});

const { keys, signer } = keyPair('k1');
const CHECKPOINT: Checkpoint = {
  issuer: 'https://sts.example.com',
  at: 1_795_402_800,
  heads: [{ writer: 'W1', sequence: 7, hash: 'h7' }],
  pruned: [{ writer: 'W0', sequence: 3, hash: 'h3' }],
};

test('a checkpoint comes back from what was signed, with the key that signed it', async () => {
  const stored = await signCheckpoint(CHECKPOINT, signer);
  expect(stored.at).toBe(CHECKPOINT.at);
  expect(await openCheckpoint(stored.jws, keys)).toEqual({ ok: true, value: { ...CHECKPOINT, kid: 'k1' } });
});

test('only writer, sequence and hash of a head are signed', async () => {
  const pruned = { sequence: 0, hash: '' };
  const heads = CHECKPOINT.heads.map((head) => ({ ...head, pruned }));
  const { jws } = await signCheckpoint({ ...CHECKPOINT, heads }, signer);
  expect(jws).toHaveLength((await signCheckpoint(CHECKPOINT, signer)).jws.length);
});

test('one of ten thousand chains can be signed and opened', async () => {
  const heads = Array.from({ length: 10_000 }, (_, index) => ({
    writer: `W${String(index).padStart(16, '0')}`,
    sequence: 1_000_000 + index,
    hash: 'x'.repeat(43),
  }));
  const { jws } = await signCheckpoint({ ...CHECKPOINT, heads }, signer);
  expect(await openCheckpoint(jws, keys)).toMatchObject({ ok: true, value: { heads } });
});

const other = keyPair('k1');
const foreign = async (typ: string, claims: object) => assembleJws({ typ }, JSON.parse(JSON.stringify(claims)), signer);
const TYPE = 'jobpass-checkpoint+jwt';
const CLAIMS = { iss: 'i', iat: 1, heads: [], pruned: [] };

test.each<[string, string, () => Promise<string>]>([
  ['of another key', 'signature_invalid', async () => (await signCheckpoint(CHECKPOINT, other.signer)).jws],
  ['of an unknown key', 'key_unknown', async () => (await signCheckpoint(CHECKPOINT, keyPair('k2').signer)).jws],
  ['changed', 'signature_invalid', async () => changed((await signCheckpoint(CHECKPOINT, signer)).jws)],
  ['that is another token of the same key', 'token_type_refused', () => foreign('at+jwt', CLAIMS)],
  ['without heads', 'token_malformed', () => foreign(TYPE, { ...CLAIMS, heads: undefined })],
  ['with a head that is none', 'token_malformed', () => foreign(TYPE, { ...CLAIMS, heads: [{ writer: 'W' }] })],
  ['of half a second', 'token_malformed', () => foreign(TYPE, { ...CLAIMS, iat: 1.5 })],
  ['that is no token', 'token_malformed', async () => 'x'],
])('a checkpoint %s is refused: %s', async (_, reason, make) => {
  expect(await openCheckpoint(await make(), keys)).toMatchObject({ ok: false, error: { reason } });
});

function changed(jws: string): string {
  const [header, payload, signature] = jws.split('.');
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, iat: claims.iat + 1 })).toString('base64url');
  return `${header}.${forged}.${signature}`;
}
