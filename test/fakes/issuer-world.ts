// An issuer with everything around it faked: a frozen clock, a store in memory, clients known by name. Routes are
// called as functions; nothing listens.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Client, IssuerGrant } from '../../src/base/client-auth/client.ts';
import { type JsonObject, stringMember } from '../../src/base/core/json.ts';
import { failure } from '../../src/base/core/reasons.ts';
import { err, ok } from '../../src/base/core/result.ts';
import { parseJsonObject } from '../../src/base/json/parse.ts';
import { importKeySet } from '../../src/base/jwt/jwk.ts';
import { parseJws } from '../../src/base/jwt/jws.ts';
import type { Limits } from '../../src/base/limit/rate-limits.ts';
import type { HttpRequest, HttpResponse, Route } from '../../src/base/ports/http.ts';
import type { ClientAuthenticator, IssuerKeys } from '../../src/issuer/context.ts';
import { createIssuer, type Issuer } from '../../src/issuer/issuer.ts';
import type { IssuerSettings } from '../../src/issuer/settings.ts';
import type { IssuerStore } from '../../src/issuer/store.ts';
import { FrozenClock } from './frozen-clock.ts';
import { matchPath } from './match-path.ts';
import { MemoryIssuerStore } from './memory-issuer-store.ts';
import { type LogLine, MemoryLog } from './memory-log.ts';

export const ISSUER_URL = 'https://ci.example.com';
export const STS_AUDIENCE = 'https://sts.example.com';
export const CLOUD_AUDIENCE = 'sts.amazonaws.com';
/** Of a relying party that asks about tokens and hears of no end. */
export const ASKING_AUDIENCE = 'https://vault.example.com';
export const NOW = 1_800_000_000;

export const SETTINGS: IssuerSettings = {
  url: ISSUER_URL,
  algorithm: 'ES256',
  profile: 'jobpass',
  idTokenSeconds: 600,
  maxJobSeconds: 86_400,
  forks: { allow: false, audiences: [] },
};

const NOTHING: IssuerGrant = { jobs: null, introspect: [], events: [], keys: [], audit: false };
const ACME = { name: 'acme', id: '42' };

const client = (name: string, may: Partial<IssuerGrant>): Client<IssuerGrant> => ({
  name,
  secretHashes: [],
  jwks: null,
  expiresAt: null,
  may: { ...NOTHING, ...may },
});

/** Two controllers, a local one, an STS, and somebody without any right. */
export const CLIENTS: readonly Client<IssuerGrant>[] = [
  client('woodpecker', {
    jobs: { owners: [ACME, { name: 'labs', id: '43' }], extraClaimPrefix: 'acme.example/', localOnly: false },
  }),
  client('jenkins', { jobs: { owners: [{ name: 'other', id: '50' }], extraClaimPrefix: null, localOnly: false } }),
  client('laptop', { jobs: { owners: [ACME], extraClaimPrefix: null, localOnly: true } }),
  client('sts', { introspect: [STS_AUDIENCE], events: [STS_AUDIENCE] }),
  client('cloud', { introspect: [CLOUD_AUDIENCE], events: [CLOUD_AUDIENCE] }),
  client('vault', { introspect: [ASKING_AUDIENCE] }),
  client('nobody', {}),
];

/** A start that passes, for `woodpecker`. */
export const START = {
  idempotency_key: 'run-1001/publish',
  owner: ACME,
  pipeline: { name: 'web', id: '7' },
  workflow: 'release',
  job: 'publish',
  run_id: '1001',
  run_number: '12',
  run_attempt: '1',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: true,
  sha: '4be1f0c',
  event: 'push',
  actor: { name: 'ada', id: '9' },
  runner_id: 'r1',
  runner_environment: 'self-hosted',
  fork: false,
  interactive: false,
  timeout_seconds: 3600,
  audiences: [STS_AUDIENCE, CLOUD_AUDIENCE],
} as const satisfies JsonObject;

/** One P-256 key for all tests of a file. */
export function testKeys(): IssuerKeys & { readonly privateKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const exported = publicKey.export({ format: 'jwk' });
  const jwk: JsonObject = {
    ...{ kty: 'EC', crv: 'P-256', x: String(exported.x), y: String(exported.y) },
    ...{ kid: 'test', alg: 'ES256', use: 'sig' },
  };
  const shown = { keys: [jwk] };
  const imported = importKeySet({ keys: [jwk] });
  const verification = imported.ok ? imported.value.keys : [];
  return {
    privateKey,
    publicJwks: () => shown,
    verificationKeys: () => verification,
    signer: () => ({
      kid: 'test',
      algorithm: 'ES256',
      sign: async (input) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    }),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON; empty when it is none. */
  readonly json: JsonObject;
}

interface CallOptions {
  /** The calling client's name. */
  readonly as?: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface IssuerWorld<Store extends IssuerStore = MemoryIssuerStore> {
  readonly issuer: Issuer;
  readonly store: Store;
  readonly keys: ReturnType<typeof testKeys>;
  readonly clock: FrozenClock;
  readonly log: readonly LogLine[];
  /** `GET /path?query` or `POST /path`, through the route's handler. */
  call(target: string, options?: CallOptions): Promise<Answer>;
}

/** The string member of an answer; empty when there is none. */
export const text = (answer: Answer, name: string): string => stringMember(answer.json, name) ?? '';

/** Recognises `Authorization: Client <name>`; what real clients send is client-auth's business. */
const authenticator = (clients: readonly Client<IssuerGrant>[]): ClientAuthenticator => ({
  authenticate: async (request) => {
    const found = clients.find(({ name }) => request.headers.authorization === `Client ${name}`);
    return found === undefined ? err(failure('client_unknown', 'no such client')) : ok(found);
  },
  grants: () => clients.map(({ may }) => may),
});

/** Knows the clients above by `Authorization: Client <name>`. */
export const clientsByName: ClientAuthenticator = authenticator(CLIENTS);

export function issuerWorld(options: { settings?: Partial<IssuerSettings>; limits?: Limits } = {}): IssuerWorld {
  return issuerWorldOn(new MemoryIssuerStore(), options);
}

/** The same on another store. */
export function issuerWorldOn<Store extends IssuerStore>(
  store: Store,
  options: { settings?: Partial<IssuerSettings>; limits?: Limits; keys?: IssuerKeys } = {},
): IssuerWorld<Store> {
  const clock = new FrozenClock(NOW);
  const log = new MemoryLog();
  const keys = testKeys();
  const issuer = createIssuer({
    settings: { ...SETTINGS, ...options.settings },
    store,
    keys: options.keys ?? keys,
    clients: clientsByName,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    clock,
    random: { bytes: (length) => randomBytes(length) },
    log,
  });
  return {
    issuer,
    store,
    keys,
    clock,
    log: log.lines,
    call: (target, call) => callRoute(issuer.routes, target, call ?? {}),
  };
}

async function callRoute(routes: readonly Route[], target: string, options: CallOptions): Promise<Answer> {
  const [method = '', url = ''] = target.split(' ');
  const [path = '', query = ''] = url.split('?');
  for (const route of routes) {
    const params = route.method === method ? matchPath(route.path, path) : undefined;
    if (params !== undefined) return readAnswer(await route.handle(makeRequest(method, { params, query, options })));
  }
  throw new Error(`no route for ${target}`);
}

function makeRequest(
  method: string,
  call: { params: Record<string, string>; query: string; options: CallOptions },
): HttpRequest {
  const { as, json, form, headers, signal } = call.options;
  const body = form === undefined ? (json === undefined ? '' : JSON.stringify(json)) : new URLSearchParams(form);
  return {
    method,
    params: call.params,
    query: call.query,
    headers: { ...(as === undefined ? {} : { authorization: `Client ${as}` }), ...headers },
    body: new TextEncoder().encode(String(body)),
    remoteAddress: '127.0.0.1',
    signal: signal ?? new AbortController().signal,
  };
}

function readAnswer(response: HttpResponse): Answer {
  const bytes = typeof response.body === 'string' ? new TextEncoder().encode(response.body) : response.body;
  const parsed = parseJsonObject(bytes);
  return {
    status: response.status,
    headers: response.headers,
    text: new TextDecoder().decode(bytes),
    json: parsed.ok ? parsed.value : {},
  };
}

/** Starts a job as `woodpecker`; members of START are replaced or, with `undefined`, left out. */
export async function startJob(
  world: Pick<IssuerWorld, 'call'>,
  changes: Readonly<Record<string, unknown>> = {},
  as = 'woodpecker',
): Promise<{ readonly answer: Answer; readonly id: string; readonly requestToken: string }> {
  const answer = await world.call('POST /v1/jobs', { as, json: { ...START, ...changes } });
  return { answer, id: text(answer, 'job_id'), requestToken: text(answer, 'request_token') };
}

/** Asks for an ID token on GitHub's wire. */
export const askIdToken = (
  world: Pick<IssuerWorld, 'call'>,
  job: { readonly id: string; readonly requestToken: string },
  audience: string = STS_AUDIENCE,
): Promise<Answer> =>
  world.call(`GET /v1/jobs/${job.id}/id-token?v=1&audience=${encodeURIComponent(audience)}`, {
    headers: { authorization: `Bearer ${job.requestToken}` },
  });

/** The claims of a compact JWS, unverified. */
export function claimsOf(token: string): JsonObject {
  const parsed = parseJws(token);
  return parsed.ok ? parsed.value.claims : {};
}
