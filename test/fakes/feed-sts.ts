// An STS as one gateway sees it: a signed feed behind the fetch port, a JWKS, and access tokens. It has no wire of its own.
import type { Epoch } from '../../src/base/core/epoch.ts';
import type { JsonObject } from '../../src/base/core/json.ts';
import type { PermissionSet, Statement } from '../../src/base/core/permissions.ts';
import { ok } from '../../src/base/core/result.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { ACCESS_TOKEN_TYPE, accessTokenClaims } from '../../src/base/credential/access-token.ts';
import type { CarriedSession } from '../../src/base/credential/carried-session.ts';
import { assembleJws } from '../../src/base/jwt/assemble.ts';
import type { Clock } from '../../src/base/ports/clock.ts';
import type { FetchRequest, GuardedFetch } from '../../src/base/ports/fetch.ts';
import type { GatewaySettings } from '../../src/gateway/settings.ts';
import { groupKeySetId as setIdOf } from '../../src/keys/group-key.ts';
import { permissionSetId } from '../../src/policy/policy-set.ts';
import { encodeFeedMessage, MAX_FEED_MESSAGE_BYTES, parseFeedPoll } from '../../src/wire/feed/codec.ts';
import { epochsIdOf } from '../../src/wire/feed/epochs.ts';
import { FEED_TOKEN_TYPE, type FeedMessage, type FeedPoll } from '../../src/wire/feed/message.ts';
import { makeSigningKey, type SigningKey } from './signing-key.ts';

export const STS_URL = 'https://sts.example.com';
export const JOB_ISSUER = 'https://ci.example.com';
export const GROUP_KEY_ID = 'GK1';

/** Settings of a gateway that listens to a FeedSts. */
export const gatewaySettings = (over: Partial<GatewaySettings> = {}): GatewaySettings => ({
  name: 'store',
  group: 'artifacts',
  sts: {
    url: STS_URL,
    network: 'public',
    client: 'gateway store',
    secret: new Secret('correct horse battery staple & more'),
  },
  clockSkewSeconds: 30,
  url: null,
  upstream: null,
  s3: null,
  doors: { blob: null, gcs: null },
  ...over,
});

const setOf = (roles: PermissionSet['roles']): PermissionSet => ({ id: permissionSetId(roles), roles });

/** An STS whose word a test chooses. Everything public may be changed between polls. */
export class FeedSts {
  readonly #clock: Clock;
  key: SigningKey = makeSigningKey();
  /** What the JWKS and the messages publish. */
  published: readonly JsonObject[] = [this.key.publicJwk];
  reachable = true;
  ended: { sessionId: string; expiresAt: number }[] = [];
  epochs: readonly Epoch[] = [];
  endedPerMessage = 1000;
  store = 'store-1';
  /** Oldest first, the last one the active one; with what they are wrapped to each key of the gateway. */
  groupKeys: readonly { readonly id: string; readonly wrapped: readonly string[] }[] = [
    { id: GROUP_KEY_ID, wrapped: ['wrapped'] },
  ];
  issuerAgesMs: Readonly<Record<string, number | null>> = { [JOB_ISSUER]: 0 };
  permissions: PermissionSet = setOf([]);
  /** Last change to a message before it is signed. */
  alter: (message: FeedMessage) => FeedMessage = (message) => message;
  type: string = FEED_TOKEN_TYPE;
  readonly requests: FetchRequest[] = [];
  readonly polls: FeedPoll[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The fetch port of the gateway under test. */
  readonly fetch: GuardedFetch = async (request) => {
    this.requests.push(request);
    if (!this.reachable) return { ok: false, error: { kind: 'unreachable', detail: 'cut off' } };
    const url = new URL(request.url);
    if (url.pathname === '/.well-known/jwks') return answer(200, JSON.stringify({ keys: this.published }));
    const poll = parseFeedPoll(url.search.slice(1));
    if (url.pathname !== '/v1/feed' || !poll.ok) return answer(404, '');
    this.polls.push(poll.value);
    return answer(200, await this.#message(poll.value));
  };

  /** Lets a role do what the statements say, and no other role anything. */
  grant(role: string, statements: readonly Omit<Statement, 'line'>[]): void {
    const roles = [{ role, statements: statements.map((statement, index) => ({ ...statement, line: index + 1 })) }];
    this.permissions = setOf(roles);
  }

  /** A signed access token; a session of a job that started just now, unless `over` says otherwise. */
  token(over: Partial<CarriedSession> = {}): Promise<string> {
    return assembleJws({ typ: ACCESS_TOKEN_TYPE }, accessTokenClaims(this.session(over)), this.key.signer);
  }

  session(over: Partial<CarriedSession> = {}): CarriedSession {
    const now = this.#clock.nowSeconds();
    return {
      issuer: STS_URL,
      sessionId: 'S0000000000AB',
      role: 'main/publish-web',
      group: 'artifacts',
      subject: 'owner:acme@42:pipeline:web@7:environment:production',
      jobIssuer: JOB_ISSUER,
      jobId: 'J1',
      jobBound: true,
      claims: { pipeline_id: '7' },
      issuedAt: now,
      expiresAt: now + 600,
      tags: {},
      sourceIdentity: null,
      policy: null,
      ...over,
    };
  }

  async #message(poll: FeedPoll): Promise<string> {
    const from = poll.store === this.store ? poll.cursor : 0;
    const activeId = this.groupKeys.at(-1)?.id ?? '';
    const ids = this.groupKeys.map(({ id }) => id);
    const groupKeySetId = setIdOf(ids, activeId);
    const next = this.ended.slice(from, from + this.endedPerMessage);
    const message: FeedMessage = {
      issuer: STS_URL,
      gateway: 'store',
      group: 'artifacts',
      signedAt: this.#clock.nowSeconds(),
      nonce: poll.nonce,
      store: this.store,
      ended: next,
      cursor: from + next.length,
      more: from + next.length < this.ended.length,
      epochsId: epochsIdOf(this.epochs),
      ...(poll.epochsId === epochsIdOf(this.epochs) ? {} : { epochs: this.epochs }),
      issuerAgesMs: this.issuerAgesMs,
      permissionSetId: this.permissions.id,
      ...(poll.permissionSetId === this.permissions.id ? {} : { permissions: this.permissions }),
      keys: this.published,
      ...(poll.groupKeySetId === groupKeySetId ? {} : { groupKeys: { keys: this.groupKeys, activeId } }),
      groupKeySetId,
    };
    const header = { typ: this.type, maxBytes: MAX_FEED_MESSAGE_BYTES };
    return assembleJws(header, encodeFeedMessage(this.alter(message)), this.key.signer);
  }
}

const answer = (status: number, body: string) => ok({ status, headers: {}, body: new TextEncoder().encode(body) });
