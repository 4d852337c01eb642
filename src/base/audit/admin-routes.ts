// The operator's routes to the audit chains, for every server that has an operator listener. They change nothing but what pruning takes.
import * as z from 'zod';
import type { Client } from '../client-auth/client.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { parseJsonObject } from '../json/parse.ts';
import type { Clock } from '../ports/clock.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../ports/http.ts';
import { notPermitted, type OperatorDeps, operatorRoute } from '../refusal/operator-route.ts';
import type { CheckpointKey } from './own-checkpoints.ts';
import type { AuditStore } from './store.ts';
import { type TailCursor, tail, withinChars } from './tail.ts';
import type { AuditUpkeep } from './upkeep.ts';

/** Entries or checkpoints in one answer. */
const PAGE = 500;
/** Of an answer's entries; one larger record goes alone. */
const PAGE_CHARS = 8 * 1024 * 1024;
/** Younger records are not pruned by hand: whoever may prune cannot wipe out what was just done. */
const YOUNGEST_PRUNED_MS = 24 * 3600 * 1000;

/** What a server lets its operators do with its audit chains. */
export interface AuditGrant {
  /** Everything of the chains, and pruning them. */
  readonly audit: boolean;
  /** Tenants whose records may be read one by one; a server without tenants has none. */
  readonly read?: readonly string[];
}

/** What the operators’ routes about the audit trail work on. */
export interface AuditRoutesDeps<Grant extends AuditGrant> extends OperatorDeps<Grant> {
  readonly store: AuditStore;
  readonly upkeep: Pick<AuditUpkeep, 'prune'>;
  /** The server's URL, which its checkpoints name. */
  readonly issuer: string;
  /** Every key that the ring of the checkpoints ever had. */
  readonly checkpointKeys: () => Promise<readonly CheckpointKey[]>;
  readonly clock: Clock;
}

type Handler<Grant extends AuditGrant> = (
  deps: AuditRoutesDeps<Grant>,
  request: HttpRequest,
  operator: Client<Grant>,
) => Promise<Result<HttpResponse, Failure>>;

/** `/admin/v1/audit/…`: `tail` for whoever may read a tenant, everything else for `may.audit`. */
export function auditRoutes<Grant extends AuditGrant>(deps: AuditRoutesDeps<Grant>): readonly Route[] {
  const whole = (method: Route['method'], path: string, handler: Handler<Grant>): Route =>
    operatorRoute(deps, { method, path }, async (request, operator) =>
      operator.may.audit ? handler(deps, request, operator) : err(notPermitted('audit')),
    );
  return [
    operatorRoute(deps, { method: 'POST', path: '/admin/v1/audit/tail' }, (request, operator) =>
      handleTail(deps, request, operator),
    ),
    whole('GET', '/admin/v1/audit/heads', handleHeads),
    whole('GET', '/admin/v1/audit/entries/:writer/:after', handleEntries),
    whole('GET', '/admin/v1/audit/checkpoints/:after', handleCheckpoints),
    whole('GET', '/admin/v1/audit/keys', handleKeys),
    whole('POST', '/admin/v1/audit/prune', handlePrune),
  ];
}

/** `{"issuer", "heads"}`: every chain, where it ends and where it begins. */
async function handleHeads<Grant extends AuditGrant>(deps: AuditRoutesDeps<Grant>): ReturnType<Handler<Grant>> {
  return ok(jsonResponse(200, { issuer: deps.issuer, heads: await deps.store.listHeads() }));
}

/** `{"entries"}` of one chain, in order; none: there are no more. */
async function handleEntries<Grant extends AuditGrant>(
  deps: AuditRoutesDeps<Grant>,
  { params }: HttpRequest,
): ReturnType<Handler<Grant>> {
  const after = position(params.after);
  if (after === undefined) return malformed('the place in the chain is not a whole number');
  const entries = await deps.store.listEntries(params.writer ?? '', after, PAGE);
  return ok(jsonResponse(200, { entries: withinChars(entries, PAGE_CHARS) }));
}

/** `{"checkpoints"}` after a moment, in order; none: there are no more. */
async function handleCheckpoints<Grant extends AuditGrant>(
  deps: AuditRoutesDeps<Grant>,
  { params }: HttpRequest,
): ReturnType<Handler<Grant>> {
  const after = position(params.after);
  if (after === undefined) return malformed('the moment is not a whole number of seconds');
  return ok(jsonResponse(200, { checkpoints: await deps.store.listCheckpoints(after, PAGE) }));
}

/** `{"keys": [{"state", "jwk"}]}`. */
async function handleKeys<Grant extends AuditGrant>(deps: AuditRoutesDeps<Grant>): ReturnType<Handler<Grant>> {
  return ok(jsonResponse(200, { keys: await deps.checkpointKeys() }));
}

const position = (text: string | undefined): number | undefined =>
  text !== undefined && /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined;

const tailShape = z.strictObject({
  limit: z.int().min(1).max(999),
  after: z.record(z.string().max(64), z.int().nonnegative()).optional(),
});

/** `{"entries", "after"}`: the newest, or those after what `after` of an earlier answer says; oldest first. */
async function handleTail<Grant extends AuditGrant>(
  deps: AuditRoutesDeps<Grant>,
  request: HttpRequest,
  { may }: Client<Grant>,
): ReturnType<Handler<Grant>> {
  const tenants = may.read ?? [];
  if (!may.audit && tenants.length === 0) return err(notPermitted('read'));
  const asked = parsed(request, tailShape);
  if (asked === undefined) return malformed('wanted limit, a number from 1 to 999, and perhaps after');
  const after: TailCursor | null = asked.after === undefined ? null : new Map(Object.entries(asked.after));
  const only = may.audit ? undefined : { tenants };
  const found = await tail(deps.store, { limit: asked.limit, after, only, maxChars: PAGE_CHARS });
  return ok(jsonResponse(200, { entries: found.entries, after: Object.fromEntries(found.after) }));
}

const pruneShape = z.strictObject({ before: z.int().nonnegative() });

/** `{"records"}`: how many went. */
async function handlePrune<Grant extends AuditGrant>(
  deps: AuditRoutesDeps<Grant>,
  request: HttpRequest,
  { name }: Client<Grant>,
): ReturnType<Handler<Grant>> {
  const asked = parsed(request, pruneShape);
  if (asked === undefined) return malformed('wanted before, milliseconds since 1970');
  if (asked.before > deps.clock.nowMs() - YOUNGEST_PRUNED_MS) return malformed('records of the last 24 hours stay');
  return ok(jsonResponse(200, await deps.upkeep.prune({ before: asked.before, actor: { kind: 'client', name } })));
}

function parsed<T>(request: HttpRequest, shape: z.ZodType<T>): T | undefined {
  const json = parseJsonObject(request.body);
  return json.ok ? shape.safeParse(json.value).data : undefined;
}

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
