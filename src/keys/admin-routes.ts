// The operator's routes for key rings, of whichever server: what keys there are, and the verbs that change them.
import { hash } from 'node:crypto';
import * as z from 'zod';
import type { JsonObject } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { parseJsonObject } from '../base/json/parse.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../base/ports/http.ts';
import { withPatienceForEach } from '../base/ports/patience.ts';
import {
  notPermitted,
  type OperatorDeps,
  type OperatorHandler,
  operatorRoute,
} from '../base/refusal/operator-route.ts';
import type { KeyKeeper } from './keeper.ts';
import { KEY_SET_CACHE_SECONDS } from './lifecycle.ts';
import type { LiveRing } from './live-ring.ts';
import { type RewrapDeps, rewrapAll } from './rewrap.ts';
import type { StoredKey } from './store.ts';
import { publicPartOf } from './stored.ts';
import { KEY_VERBS, type KeyVerb } from './verbs.ts';

/** What a server's operators need to be allowed: rings by name, `*` for all. */
interface KeysGrant {
  readonly keys: readonly string[];
}

const mayUse = ({ keys }: KeysGrant, ring: string): boolean => keys.includes(ring) || keys.includes('*');

/** What the routes are of. */
interface KeyServer {
  readonly keeper: KeyKeeper;
  readonly rewrap: RewrapDeps;
  /** What relying parties read, as files; null: this server has none. */
  readonly files: (() => ReadonlyMap<string, string>) | null;
}

/** `GET /admin/v1/keys` and `POST /admin/v1/keys/<verb>`, for operators with `may.keys`. */
export function keyRoutes<Grant extends KeysGrant>(
  deps: OperatorDeps<Grant>,
  { files, keeper, rewrap }: KeyServer,
): readonly Route[] {
  const verbs = Object.entries(KEY_VERBS).map(([name, verb]) =>
    operatorRoute(deps, { method: 'POST', path: `/admin/v1/keys/${name}` }, carryingOut(keeper, verb)),
  );
  return [
    operatorRoute(deps, { method: 'GET', path: '/admin/v1/keys' }, listing(keeper)),
    operatorRoute(deps, { method: 'POST', path: '/admin/v1/keys/rewrap' }, rewrapping(keeper, rewrap)),
    ...(files === null
      ? []
      : [operatorRoute(deps, { method: 'GET', path: '/admin/v1/keys/files' }, exporting<Grant>(files))]),
    ...verbs,
  ];
}

/** `{"files": {path: content}}`, all of it public. */
const exporting =
  <Grant extends KeysGrant>(files: () => ReadonlyMap<string, string>): OperatorHandler<Grant> =>
  async (_, { may }) =>
    may.keys.length === 0 ? err(notPermitted('keys')) : ok(jsonResponse(200, { files: Object.fromEntries(files()) }));

/** `{"rewrapped": {ring: keys}}`: every ring of the store, so an operator of all of them. */
const rewrapping =
  <Grant extends KeysGrant>(keeper: KeyKeeper, deps: RewrapDeps): OperatorHandler<Grant> =>
  async (_, { may, name }) => {
    if (!may.keys.includes('*')) return err(notPermitted('keys: ["*"]'));
    const done = await withPatienceForEach(() => rewrapAll(deps, { kind: 'client', name }));
    await keeper.tick();
    return done.ok ? ok(jsonResponse(200, { rewrapped: Object.fromEntries(done.value) })) : done;
  };

/** `{"rings": [ring]}`, those that the operator may use. */
const listing =
  <Grant extends KeysGrant>(keeper: KeyKeeper): OperatorHandler<Grant> =>
  async (_, { may }) => {
    if (may.keys.length === 0) return err(notPermitted('keys'));
    await keeper.tick();
    const rings = keeper.rings.filter(({ kind }) => mayUse(may, kind.ring));
    return ok(jsonResponse(200, { rings: rings.map(encodeRing) }));
  };

const orderSchema = z.strictObject({
  ring: z.string(),
  kid: z.string().min(1).max(128).optional(),
  early: z.boolean().optional(),
});

/** `{"done": {"action", "key", "detail"}, "ring"}`: what was done, and the ring after it. */
const carryingOut =
  <Grant extends KeysGrant>(keeper: KeyKeeper, verb: KeyVerb): OperatorHandler<Grant> =>
  async (request, { may, name }) => {
    const order = parseOrder(request);
    if (!order.ok) return order;
    const { early = false, kid = null, ring: asked } = order.value;
    if (!mayUse(may, asked)) return err(notPermitted(`keys: [${asked}]`));
    const ring = keeper.rings.find(({ kind }) => kind.ring === asked);
    if (ring === undefined) return err(failure('key_absent', `there is no ring ${asked} here`));
    const done = await ring.change(verb(ring.kind, { kid, early }), { kind: 'client', name });
    if (!done.ok) return done;
    keeper.tell();
    const { action, detail, kid: key } = done.value;
    return ok<HttpResponse>(jsonResponse(200, { done: { action, key, detail }, ring: encodeRing(ring) }));
  };

function parseOrder({ body }: HttpRequest): Result<z.infer<typeof orderSchema>, Failure> {
  const json = parseJsonObject(body);
  const parsed = orderSchema.safeParse(json.ok ? json.value : null);
  return parsed.success ? ok(parsed.data) : err(failure('request_malformed', 'wanted ring, and perhaps kid and early'));
}

function encodeRing(ring: LiveRing): JsonObject {
  const { publishSeconds, retainSeconds, rotateEverySeconds } = ring.kind.schedule;
  return {
    ring: ring.kind.ring,
    version: ring.version,
    rotate_every_seconds: rotateEverySeconds,
    publish_seconds: publishSeconds,
    retain_seconds: retainSeconds,
    cache_seconds: KEY_SET_CACHE_SECONDS,
    steps: ring.plannedSteps().map((step) => ({ ...step })),
    keys: ring.keys.map((key) => encodeKey(key, publicPartOf(key, ring.kind.kek))),
  };
}

const encodeKey = (
  { algorithm, createdAt, kid, state, stateSince }: StoredKey,
  jwk: JsonObject | null,
): JsonObject => ({
  kid,
  algorithm,
  state,
  since: stateSince,
  created_at: createdAt,
  ...(jwk === null ? {} : { public_jwk: jwk, ...fingerprintsOf(jwk) }),
});

/** What clouds pin that look at the certificate and not at the key: of its DER. */
function fingerprintsOf({ x5c }: JsonObject): JsonObject {
  const certificate = Array.isArray(x5c) ? x5c[0] : undefined;
  if (typeof certificate !== 'string') return {};
  const der = Buffer.from(certificate, 'base64');
  return { certificate: { sha1: hash('sha1', der).toUpperCase(), sha256: hash('sha256', der).toUpperCase() } };
}
