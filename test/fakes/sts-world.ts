// An STS with everything around it faked: frozen clock, store in memory, one CI's issuer behind a fetch. Routes are called as
// functions; nothing listens. The issuer's feed stays silent until a test lets a poll through.
import type { StoreWatch } from '../../src/base/audit/store-watch.ts';
import { ClientRegistry } from '../../src/base/client-auth/authenticate.ts';
import type { Client, StsGrant } from '../../src/base/client-auth/client.ts';
import { hashClientSecret } from '../../src/base/client-auth/secret.ts';
import type { JsonObject } from '../../src/base/core/json.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { parseJsonObject } from '../../src/base/json/parse.ts';
import { importKeySet, type VerificationKey } from '../../src/base/jwt/jwk.ts';
import type { Limits } from '../../src/base/limit/rate-limits.ts';
import type { GuardedFetch } from '../../src/base/ports/fetch.ts';
import type { HttpResponse, Route } from '../../src/base/ports/http.ts';
import type { StsObserver } from '../../src/sts/observer.ts';
import type { PolicyFile } from '../../src/sts/policy-source.ts';
import type { StsSettings, TrustedIssuer } from '../../src/sts/settings.ts';
import { createSts, type Sts } from '../../src/sts/sts.ts';
import { CountingRandom } from './counting-random.ts';
import { FakeJobIssuer, fakeKey, noAnswer, STS_AUDIENCE } from './fake-job-issuer.ts';
import { FrozenClock } from './frozen-clock.ts';
import { groupKeysOf } from './group-keys.ts';
import { matchPath } from './match-path.ts';
import { MemoryLog } from './memory-log.ts';
import { MemoryStsStore } from './memory-sts-store.ts';
import { roleText, wideCeiling } from './roles.ts';

export const STS_URL = STS_AUDIENCE;
/** The resource identifier of the gateway `artifacts-1`. */
export const ARTIFACTS_URL = 'https://artifacts.example.com';
export const PUBLISH = 'main/publish-web';
/** The secret of every client of the world. */
export const CLIENT_SECRET = new Secret('a-secret-of-a-client');

const NOTHING: StsGrant = {
  feed: null,
  read: [],
  evaluate: [],
  introspect: [],
  revoke: [],
  operate: false,
  keys: [],
  audit: false,
};
export const client = (name: string, may: Partial<StsGrant>): Client<StsGrant> => ({
  name,
  secretHashes: [hashClientSecret(CLIENT_SECRET)],
  jwks: null,
  expiresAt: null,
  may: { ...NOTHING, ...may },
});

/** Trusts pipeline 7 of owner 42 on main. */
export const PUBLISH_TEXT = roleText({
  trust: '[{ issuer: "https://ci.example.com", claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]',
  permissions: `[{ effect: allow, actions: ["http:PUT"], resources: ["arn:jobpass:http:::artifacts/\${claims.pipeline_id}/*"] }]`,
});

/** A policies folder in memory. */
export class MemoryPolicies {
  readonly files = new Map<string, string | Uint8Array>([[`${PUBLISH}.yaml`, PUBLISH_TEXT]]);
  /** Files that roles name. */
  readonly documents = new Map<string, string>();
  /** Set: the folder cannot be read. */
  broken: Error | undefined;
  /** Set to false: nobody knows whether it is still what is active. */
  fresh = true;
  #onChange: (() => void) | undefined;

  async list(): Promise<readonly PolicyFile[]> {
    if (this.broken !== undefined) throw this.broken;
    return [...this.files].map(([path, text]) => ({
      path,
      bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text,
    }));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const text = this.documents.get(path);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  }

  watch(onChange: () => void): () => void {
    this.#onChange = onChange;
    return () => {
      this.#onChange = undefined;
    };
  }

  isFresh(): boolean {
    return this.fresh;
  }

  get isWatched(): boolean {
    return this.#onChange !== undefined;
  }

  changed(): void {
    this.#onChange?.();
  }
}

export interface StsCall {
  /** The calling client's name. */
  readonly as?: string;
  readonly form?: Readonly<Record<string, string>> | string;
  readonly json?: unknown;
  /** A body as it is; its media type is among the headers. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface StsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: JsonObject;
}

export interface StsWorldOptions {
  /** Where the clock stands at first; for clients that have the machine's. */
  readonly startsAt?: number;
  readonly issuerUrl?: string;
  /** Another network than the one with the fake issuer in it. */
  readonly fetch?: GuardedFetch;
  readonly registration?: Partial<TrustedIssuer>;
  readonly settings?: Partial<StsSettings>;
  readonly policies?: MemoryPolicies;
  readonly gatewayKeys?: readonly JsonObject[];
  /** Beside those that every world has. */
  readonly clients?: readonly Client<StsGrant>[];
  readonly limits?: Limits;
  readonly observer?: StsObserver;
  /** Makes the watch over the world's store; whoever gives it opens it. */
  readonly watch?: (world: StsWorld) => StoreWatch;
  /** Bends the world before it starts. */
  readonly before?: (world: StsWorld) => void;
}

/** The keys of a set with this one in it. */
export function keysOf(publicJwk: JsonObject): readonly VerificationKey[] {
  const set = importKeySet({ keys: [publicJwk] });
  if (!set.ok) throw new Error(set.error.detail);
  return set.value.keys;
}

/** Two worlds of one test draw different ids. */
let worlds = 0;

/** A started STS. Tests end it with `close`. */
export class StsWorld {
  readonly clock: FrozenClock;
  readonly issuer: FakeJobIssuer;
  readonly store = new MemoryStsStore();
  readonly log = new MemoryLog();
  readonly key = fakeKey('sts-key');
  /** Rotates when a test sets another view. */
  readonly groupKeys = { view: groupKeysOf(7) };
  readonly policies: MemoryPolicies;
  readonly sts: Sts;
  #letPoll: (() => void)[] = [];

  constructor(o: StsWorldOptions = {}) {
    this.clock = new FrozenClock(o.startsAt ?? 1_800_000_000);
    this.issuer = new FakeJobIssuer(this.clock, o.issuerUrl);
    this.policies = o.policies ?? new MemoryPolicies();
    const settings: StsSettings = {
      url: STS_URL,
      azureAuthority: STS_URL,
      trustedIssuers: [this.issuer.registration(o.registration)],
      tenants: [wideCeiling('main'), wideCeiling('other')],
      gateways: [
        { name: 'artifacts-1', group: 'artifacts', url: ARTIFACTS_URL, publicKeys: o.gatewayKeys ?? [] },
        { name: 'packages-1', group: 'packages', url: 'https://packages.example.com', publicKeys: [] },
      ],
      awsPolicies: new Map(),
      policiesFolder: '/policies',
      clockSkewSeconds: 30,
      ...o.settings,
    };
    this.issuer.handlers.set('/v1/events/poll', async (request) => {
      await new Promise<void>((resolve) => {
        this.#letPoll.push(resolve);
        request.signal?.addEventListener('abort', () => resolve());
      });
      return request.signal?.aborted ? noAnswer('aborted') : this.issuer.respond('/v1/events/poll', request);
    });
    const { clock, log, store } = this;
    this.sts = createSts({
      settings,
      store,
      keys: {
        signer: () => this.key.signer,
        publicJwks: () => ({ keys: [this.key.publicJwk] }),
        verificationKeys: () => keysOf(this.key.publicJwk),
      },
      groupKeys: new Map([['artifacts', this.groupKeys]]),
      clients: new ClientRegistry({
        clients: [
          client('gateway', { feed: 'artifacts-1' }),
          client('lost-gateway', { feed: 'unregistered' }),
          client('operator', { read: ['main'], evaluate: ['main'] }),
          client('other-operator', { read: ['other'], evaluate: ['other'] }),
          client('root', { read: ['main', 'other'], evaluate: ['main', 'other'] }),
          client('nobody', {}),
          client('relying-party', { introspect: ['artifacts'] }),
          client('other-relying-party', { introspect: ['packages'] }),
          client('revoker', { revoke: ['main'] }),
          client('other-revoker', { revoke: ['other'] }),
          client('chief', { operate: true }),
          ...(o.clients ?? []),
        ],
        audience: settings.url,
        clock,
        ...(o.limits === undefined ? {} : { limits: o.limits }),
      }),
      policySource: this.policies,
      fetch: o.fetch ?? this.issuer.fetch,
      ...(o.observer === undefined ? {} : { observer: o.observer }),
      ...(o.limits === undefined ? {} : { limits: o.limits }),
      ...(o.watch === undefined ? {} : { storeWatch: o.watch(this) }),
      clock,
      random: new CountingRandom(worlds++),
      log,
    });
  }

  static async start(o: StsWorldOptions = {}): Promise<StsWorld> {
    const world = new StsWorld(o);
    o.before?.(world);
    await world.sts.start();
    return world;
  }

  close(): Promise<void> {
    return this.sts.close();
  }

  /** Lets the polls that wait now be answered. */
  letPollThrough(): void {
    const waiting = this.#letPoll;
    this.#letPoll = [];
    for (const resolve of waiting) resolve();
  }

  /** `POST /token?query`, through the route's handler; operator routes too. */
  async call(target: string, options: StsCall = {}): Promise<StsAnswer> {
    const [method = '', url = ''] = target.split(' ');
    const [path = '', query = ''] = url.split('?');
    for (const route of [...this.sts.routes, ...this.sts.adminRoutes]) {
      const params = route.method === method ? matchPath(route.path, path) : undefined;
      if (params !== undefined) return readAnswer(await callRoute(route, { method, params, query, options }));
    }
    throw new Error(`no route for ${target}`);
  }

  /** An exchange of `token` for a role, with other parameters on top; null leaves one out. */
  exchange(token: string, changes: Readonly<Record<string, string | null>> = {}): Promise<StsAnswer> {
    const form: Record<string, string | null> = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: `urn:jobpass:role:${PUBLISH}`,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      ...changes,
    };
    const sent = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== null);
    return this.call('POST /token', { form: Object.fromEntries(sent) });
  }
}

function callRoute(
  route: Route,
  call: { method: string; params: Record<string, string>; query: string; options: StsCall },
): Promise<HttpResponse> {
  const { as, form, headers, json, raw, signal } = call.options;
  const basic = as === undefined ? undefined : Buffer.from(`${as}:${CLIENT_SECRET.reveal()}`).toString('base64');
  const body = form === undefined ? (json === undefined ? '' : JSON.stringify(json)) : new URLSearchParams(form);
  return route.handle({
    method: call.method,
    params: call.params,
    query: call.query,
    headers: {
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
      ...headers,
    },
    body: new TextEncoder().encode(raw ?? String(body)),
    remoteAddress: '192.0.2.7',
    signal: signal ?? new AbortController().signal,
  });
}

function readAnswer(response: HttpResponse): StsAnswer {
  const bytes = typeof response.body === 'string' ? new TextEncoder().encode(response.body) : response.body;
  const json = parseJsonObject(bytes);
  return {
    status: response.status,
    headers: response.headers,
    text: new TextDecoder().decode(bytes),
    json: json.ok ? json.value : {},
  };
}
