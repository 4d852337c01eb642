// Unmodified clients against the issuer over HTTP: what they discover, fetch and verify is what everybody's will.
import { randomBytes } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  discovery,
  tokenIntrospection,
} from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClientRegistry } from '../../src/base/client-auth/authenticate.ts';
import type { IssuerGrant } from '../../src/base/client-auth/client.ts';
import { hashClientSecret, newClientSecret } from '../../src/base/client-auth/secret.ts';
import type { Secret } from '../../src/base/core/secret.ts';
import type { Clock } from '../../src/base/ports/clock.ts';
import { createIssuer, type Issuer } from '../../src/issuer/issuer.ts';
import { KeyEncryptionKey } from '../../src/keys/kek.ts';
import { KeyRing } from '../../src/keys/ring.ts';
import { openSqliteIssuer } from '../../src/storage/sqlite/open.ts';
import { CLIENTS, SETTINGS, START, STS_AUDIENCE } from '../fakes/issuer-world.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { type LoopbackServer, serveOnLoopback } from '../fakes/serve-on-loopback.ts';

const clock: Clock = {
  nowSeconds: () => Math.floor(Date.now() / 1000),
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
const random = { bytes: (length: number) => randomBytes(length) };

let server: LoopbackServer;
let issuer: Issuer;
let store: Awaited<ReturnType<typeof openSqliteIssuer>>;
const secrets = new Map<string, Secret>();

async function makeIssuer(url: string): Promise<Issuer> {
  const kek = KeyEncryptionKey.fromBytes(randomBytes(32));
  const keys = await KeyRing.open({ ring: 'id-token', algorithm: 'RS256', store, kek, clock });
  const entries = CLIENTS.map((client) => {
    const secret = newClientSecret(random);
    secrets.set(client.name, secret);
    return { ...client, secretHashes: [hashClientSecret(secret)] };
  });
  const clients = new ClientRegistry<IssuerGrant>({ clients: entries, audience: url, clock });
  const settings = { ...SETTINGS, url, algorithm: 'RS256' } as const;
  return createIssuer({ settings, store, keys, clients, clock, random, log: new MemoryLog() });
}

beforeAll(async () => {
  store = await openSqliteIssuer({ memory: true });
  server = await serveOnLoopback(async (url) => {
    issuer = await makeIssuer(url);
    return issuer.routes;
  });
});

afterAll(async () => {
  await issuer.close();
  await server.close();
  await store.close();
});

const secretOf = (name: string): string => secrets.get(name)?.reveal() ?? '';

async function asController(path: string, body: unknown): Promise<Record<string, unknown>> {
  const basic = Buffer.from(`woodpecker:${secretOf('woodpecker')}`).toString('base64');
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, unknown>;
}

const startJob = async (key: string): Promise<{ id: string; env: Record<string, string> }> => {
  const { job_id: id, env } = await asController('/v1/jobs', { ...START, idempotency_key: key });
  return { id: String(id), env: env as Record<string, string> };
};

/** `getIDToken` of @actions/core, in the environment that the issuer gave the job. */
async function actionsToken(env: Record<string, string>, audience: string): Promise<string> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { getIDToken } = await import('@actions/core');
  return await getIDToken(audience);
}

describe('unmodified clients', () => {
  beforeEach(() => {
    vi.unstubAllEnvs();
    // @actions/core prints `::add-mask::` for the runner that reads its output.
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    return () => vi.restoreAllMocks();
  });

  test('@actions/core gets a token, and jose verifies it with the remote key set', async () => {
    const { id, env } = await startJob('actions');
    const token = await actionsToken(env, STS_AUDIENCE);
    const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks`));
    const verified = await jwtVerify(token, keys, {
      issuer: server.url,
      audience: STS_AUDIENCE,
      algorithms: ['RS256'],
      typ: 'JWT',
      requiredClaims: ['sub', 'jti', 'iat', 'nbf', 'exp'],
    });
    expect(verified.payload).toMatchObject({ job_id: id, sub: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main' });
  });

  test('@actions/core is refused for an audience the job may not ask for, and tries once', async () => {
    const { id, env } = await startJob('refused');
    await expect(actionsToken(env, 'https://elsewhere.example')).rejects.toThrow(/403/);
    expect(server.requests.filter((request) => request.includes(`/v1/jobs/${id}/id-token`))).toHaveLength(1);
  });

  test('openid-client discovers the issuer, and introspects until the job ends', async () => {
    const { id, env } = await startJob('introspected');
    const token = await actionsToken(env, STS_AUDIENCE);
    for (const method of [ClientSecretBasic, ClientSecretPost]) {
      const found = await discovery(new URL(server.url), 'sts', undefined, method(secretOf('sts')), {
        execute: [allowInsecureRequests],
      });
      expect(found.serverMetadata()).toMatchObject({ issuer: server.url, jwks_uri: `${server.url}/.well-known/jwks` });
      expect(await tokenIntrospection(found, token)).toMatchObject({
        active: true,
        job_id: id,
        jti: decodeJwt(token).jti,
      });
    }
    await asController(`/v1/jobs/${id}/finish`, {});
    const found = await discovery(new URL(server.url), 'sts', undefined, ClientSecretBasic(secretOf('sts')), {
      execute: [allowInsecureRequests],
    });
    expect(await tokenIntrospection(found, token)).toEqual({ active: false });
    await expect(actionsToken(env, STS_AUDIENCE)).rejects.toThrow(/403/);
  });

  test('a poll over HTTP hears of the end within its second', async () => {
    const { id, env } = await startJob('polled');
    await actionsToken(env, STS_AUDIENCE);
    const basic = Buffer.from(`sts:${secretOf('sts')}`).toString('base64');
    const poll = (body: object) =>
      fetch(`${server.url}/v1/events/poll`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const before = (await (await poll({ returnImmediately: true })).json()) as { sets: Record<string, string> };
    const waiting = poll({ ack: Object.keys(before.sets), nonce: 'n1' });
    await asController(`/v1/jobs/${id}/finish`, {});
    const { sets } = (await (await waiting).json()) as { sets: Record<string, string> };
    const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const subjects: unknown[] = [];
    for (const set of Object.values(sets)) {
      const { payload } = await jwtVerify(set, keys, { issuer: server.url, audience: 'sts', typ: 'secevent+jwt' });
      subjects.push(payload.sub_id);
    }
    expect(subjects).toEqual([
      { format: 'iss_sub', iss: server.url, sub: id },
      { format: 'opaque', id: 'sts' },
    ]);
  });
});
