// A CI's issuer behind a GuardedFetch: discovery, JWKS, introspection and the event poll, all in memory. Tests bend it.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Claims, JsonObject, JsonValue } from '../../src/base/core/json.ts';
import { err, ok } from '../../src/base/core/result.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { parseJsonObject } from '../../src/base/json/parse.ts';
import { assembleJws } from '../../src/base/jwt/assemble.ts';
import type { Clock } from '../../src/base/ports/clock.ts';
import type { FetchFailure, FetchRequest, FetchResponse, GuardedFetch } from '../../src/base/ports/fetch.ts';
import type { Signer } from '../../src/base/ports/signer.ts';
import type { TrustedIssuer } from '../../src/sts/settings.ts';
import { encodeIntrospectionResponse } from '../../src/wire/introspection/introspection.ts';
import { encodeSecurityEvent, SECURITY_EVENT_TYPE, type SecurityEvent } from '../../src/wire/secevent/event.ts';
import { decodePoll, type EventPoll, encodeBatch } from '../../src/wire/secevent/poll.ts';

type Answer = Awaited<ReturnType<GuardedFetch>>;
export type Handler = (request: FetchRequest) => Answer | Promise<Answer>;

export const STS_AUDIENCE = 'https://sts.example.com';

/** A 200 answer, or another status. */
export const answer = (body: JsonValue | string, status = 200): Answer => {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
  const response: FetchResponse = { status, headers: { 'content-type': 'application/json' }, body: bytes };
  return ok(response);
};

/** No answer. */
export const noAnswer = (kind: FetchFailure = 'unreachable'): Answer => err({ kind, detail: 'as the test wants it' });

/** A key pair with its signer, as any issuer has. */
export interface FakeKey {
  readonly signer: Signer;
  readonly publicJwk: JsonObject;
  readonly privateKey: KeyObject;
}

export function fakeKey(kid: string): FakeKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer: Signer = {
    kid,
    algorithm: 'ES256',
    sign: async (input) => new Uint8Array(sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  };
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } as JsonObject;
  return { signer, publicJwk, privateKey };
}

export class FakeJobIssuer {
  readonly issuer: string;
  readonly key = fakeKey('key-1');
  /** What the JWKS lists. */
  published: JsonObject[];
  /** `METHOD path` of every request, in order. */
  readonly requests: string[] = [];
  readonly polls: EventPoll[] = [];
  /** Overrides by path, asked before the ordinary answer. */
  readonly handlers = new Map<string, Handler>();
  readonly endedJobs = new Set<string>();
  /** Events not yet acknowledged. */
  readonly queued = new Map<string, SecurityEvent>();
  /** When it last began anew. */
  knownSince: number | null = null;
  /** How the verification event answers; a test may bend nonce and times. */
  verification: (event: SecurityEvent) => SecurityEvent | null = (event) => event;
  readonly #clock: Clock;

  constructor(clock: Clock, issuer = 'https://ci.example.com') {
    this.#clock = clock;
    this.issuer = issuer;
    this.published = [this.key.publicJwk];
  }

  /** Its registration at the STS. */
  registration(overrides: Partial<TrustedIssuer> = {}): TrustedIssuer {
    return {
      issuer: this.issuer,
      audiences: [STS_AUDIENCE],
      algorithms: ['ES256'],
      network: 'public',
      jobStatus: { kind: 'feed', client: 'sts', secret: new Secret('client-secret') },
      maxSessionSeconds: null,
      ...overrides,
    };
  }

  /** The claims of an ordinary token of job J1. */
  claims(overrides: Readonly<Record<string, JsonValue | undefined>> = {}): Claims {
    const now = this.#clock.nowSeconds();
    const claims = {
      iss: this.issuer,
      aud: STS_AUDIENCE,
      sub: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      iat: now,
      nbf: now,
      exp: now + 600,
      jti: 'token-1',
      owner_id: '42',
      pipeline_id: '7',
      ref: 'refs/heads/main',
      job_id: 'J1',
      job_deadline: String(now + 3600),
      ...overrides,
    };
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)) as Claims;
  }

  idToken(
    overrides: Readonly<Record<string, JsonValue | undefined>> = {},
    o: { typ?: string; key?: FakeKey } = {},
  ): Promise<string> {
    return assembleJws({ typ: o.typ ?? 'JWT' }, this.claims(overrides), (o.key ?? this.key).signer);
  }

  /** Ends a job and queues its event. */
  endJob(jobId: string): void {
    this.endedJobs.add(jobId);
    const now = this.#clock.nowSeconds();
    const id = `E-${jobId}`;
    this.queued.set(id, {
      kind: 'job_ended',
      issuer: this.issuer,
      audience: 'sts',
      id,
      issuedAt: now,
      jobId,
      endedAt: now,
      cause: 'finished',
    });
  }

  readonly fetch: GuardedFetch = async (request) => {
    const url = new URL(request.url);
    const own = new URL(this.issuer);
    const base = own.pathname.replace(/\/$/, '');
    const isOwn = url.origin === own.origin && url.pathname.startsWith(`${base}/`);
    const path = isOwn ? url.pathname.slice(base.length) : request.url;
    this.requests.push(`${request.method} ${path}`);
    if (request.signal?.aborted) return noAnswer('aborted');
    const handler = this.handlers.get(path);
    return handler === undefined ? this.respond(path, request) : handler(request);
  };

  /** The ordinary answer. */
  async respond(path: string, request: FetchRequest): Promise<Answer> {
    if (path === '/.well-known/openid-configuration') {
      return answer({
        issuer: this.issuer,
        jwks_uri: `${this.issuer}/jwks`,
        introspection_endpoint: `${this.issuer}/v1/introspect`,
      });
    }
    if (path === '/jwks') return answer({ keys: this.published });
    if (path === '/v1/introspect') return answer(this.#introspect());
    if (path === '/v1/events/poll') return answer(await this.#poll(request));
    return answer({ message: 'not found' }, 404);
  }

  /** Whatever token is asked about: it is one of job J1. */
  #introspect(): JsonObject {
    if (this.endedJobs.has('J1')) return encodeIntrospectionResponse(null);
    const now = this.#clock.nowSeconds();
    return encodeIntrospectionResponse({
      issuer: this.issuer,
      subject: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      audience: STS_AUDIENCE,
      expiresAt: now + 600,
      issuedAt: now,
      tokenId: 'token-1',
      jobId: 'J1',
    });
  }

  async #poll(request: FetchRequest): Promise<JsonObject> {
    const body = parseJsonObject(Buffer.from(request.body ?? ''));
    const poll = body.ok ? decodePoll(body.value) : body;
    if (!poll.ok) throw new Error('the receiver sent a malformed poll');
    this.polls.push(poll.value);
    for (const id of poll.value.acknowledged) this.queued.delete(id);
    const alive = this.verification({
      kind: 'verification',
      issuer: this.issuer,
      audience: 'sts',
      id: `E-alive-${this.polls.length}`,
      issuedAt: this.#clock.nowSeconds(),
      state: poll.value.nonce,
      audiences: [STS_AUDIENCE],
      knownSince: this.knownSince,
    });
    const events = [...this.queued.values(), ...(alive === null ? [] : [alive])];
    const sets = new Map<string, string>();
    for (const event of events) {
      sets.set(event.id, await assembleJws({ typ: SECURITY_EVENT_TYPE }, encodeSecurityEvent(event), this.key.signer));
    }
    return encodeBatch({ sets, moreAvailable: false });
  }
}
