// The operator's routes for single sessions and single jobs: which are in force, and ending them.
import * as z from 'zod';
import { newAction } from '../../base/audit/new-action.ts';
import type { ActionRecord } from '../../base/audit/record.ts';
import type { StsGrant } from '../../base/client-auth/client.ts';
import { formatRoleRef, parseRoleRef } from '../../base/core/decision.ts';
import type { JsonObject } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { isVisibleId } from '../../base/core/visible-id.ts';
import type { Clock } from '../../base/ports/clock.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../../base/ports/http.ts';
import type { Random } from '../../base/ports/random.ts';
import { notPermitted, type OperatorDeps, operatorRoute } from '../../base/refusal/operator-route.ts';
import { parseQuery } from '../../wire/query.ts';
import { TOMBSTONE_SECONDS } from '../events/receiver.ts';
import { endingProblem, type Operator, visibleTenants } from '../operator-reach.ts';
import type { Signal } from '../signal.ts';
import type { FederatedSession, Session, SessionFilter, StsStore } from '../store.ts';
import { FELT_WITHIN, headStart, readBody } from './end-answer.ts';

const DEFAULT_LIMIT = 100;
/** A letter and at least three characters, as for decisions. */
const ID_PREFIX = /^S[0-9A-HJKMNP-TV-Z]{3,30}$/;

/** What the routes about sessions work on. */
export interface SessionsDeps extends OperatorDeps<StsGrant> {
  readonly store: Pick<StsStore, 'listSessions' | 'endSession' | 'buryJobs' | 'findSession'>;
  /** Every configured tenant. */
  readonly tenants: readonly string[];
  /** Every registered issuer. */
  readonly issuers: readonly string[];
  /** Notified when a session ended. */
  readonly news: Signal;
  readonly clock: Clock;
  readonly random: Random;
}

type Answer = Promise<Result<HttpResponse, Failure>>;
type AnySession = Session | FederatedSession;

/** Listing for operators with `may.read`, `may.revoke` or `may.operate`; ending for the latter two. */
export const sessionRoutes = (deps: SessionsDeps): readonly Route[] => [
  operatorRoute(deps, { method: 'GET', path: '/admin/v1/sessions' }, (request, operator) =>
    list(deps, request, operator),
  ),
  operatorRoute(deps, { method: 'POST', path: '/admin/v1/sessions/end' }, (request, operator) =>
    end(deps, request, operator),
  ),
];

/** `{"sessions", "next"}`: in force, by their ids; `next` is the `after` of the next page, or null. */
async function list(deps: SessionsDeps, request: HttpRequest, operator: Operator): Answer {
  const asked = readFilter(deps, request, operator);
  if (!asked.ok) return asked;
  const { after, filter, limit } = asked.value;
  const found = await deps.store.listSessions(filter, after, limit + 1);
  const sessions = found.slice(0, limit);
  const next = found.length > limit ? (sessions.at(-1)?.id ?? null) : null;
  return ok(jsonResponse(200, { sessions: sessions.map(told), next }));
}

/** What an operator reads of a session. */
const told = (session: AnySession): JsonObject => ({
  id: session.id,
  decision: session.decisionId,
  role: session.role === null ? null : formatRoleRef(session.role),
  group: session.role === null ? null : session.group,
  issuer: session.issuer,
  subject: session.subject,
  job_id: session.jobId,
  job_bound: session.jobBound,
  name: session.role === null ? null : session.name,
  issued_at: session.issuedAt,
  expires_at: session.expiresAt,
});

interface Page {
  readonly filter: SessionFilter;
  readonly after: string | null;
  readonly limit: number;
}

function readFilter(deps: SessionsDeps, request: HttpRequest, operator: Operator): Result<Page, Failure> {
  const visible = visibleTenants(operator, deps.tenants);
  if (visible.length === 0) return err(notPermitted('read, or may.revoke'));
  const query = parseQuery(request.query);
  if (!query.ok) return query;
  if ([...query.value.values()].some((values) => values.length > 1)) return malformed('a parameter stands twice');
  const value = (name: string): string | undefined => query.value.get(name)?.[0];
  const limit = value('limit') ?? String(DEFAULT_LIMIT);
  if (!/^[1-9][0-9]{0,2}$/.test(limit)) return malformed('limit is not a number from 1 to 999');
  const [role, tenant, issuer, jobId] = [value('role'), value('tenant'), value('issuer'), value('job')];
  const ref = role === undefined ? undefined : parseRoleRef(role);
  if (role !== undefined && ref === undefined) return malformed('role is not of the form tenant/name');
  const filter = {
    tenants: tenant === undefined ? visible : visible.filter((name) => name === tenant),
    now: deps.clock.nowSeconds(),
    ...(ref === undefined ? {} : { role: ref }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(jobId === undefined ? {} : { jobId }),
  };
  return ok({ filter, after: value('after') ?? null, limit: Number(limit) });
}

const endSchema = z.union([
  z.strictObject({ session: z.string() }),
  z.strictObject({ job: z.string().refine(isVisibleId), issuer: z.string().max(2048).optional() }),
]);

/** `{"session"}`, an id or its beginning, or `{"job", "issuer"?}` → `{"ended": [session], "felt"}`; of a job also `"buried"`. */
async function end(deps: SessionsDeps, request: HttpRequest, operator: Operator): Answer {
  const body = readBody(request, endSchema);
  if (!body.ok) return body;
  const { value } = body;
  return 'session' in value ? endOne(deps, value.session, operator) : endJob(deps, value, operator);
}

async function endOne(deps: SessionsDeps, idOrPrefix: string, operator: Operator): Answer {
  const found = await findOne(deps, idOrPrefix.toUpperCase(), operator);
  if (!found.ok) return found;
  const session = found.value;
  const problem = endingProblem(operator, session.role?.tenant ?? null, deps.tenants);
  if (problem !== undefined) return err(problem);
  const detail = { job: session.jobId, issuer: session.issuer };
  const record = recordOf(deps, operator, { action: 'session.end', session, target: session.id, detail });
  const ended = await deps.store.endSession(session.id, record);
  if (ended === undefined) return err(failure('session_unknown', `${session.id} ended just now`));
  deps.news.notify();
  return ok(jsonResponse(200, { ended: [told(session)], felt: FELT_WITHIN }));
}

/** The session in force that the operator may see and whose id is this, or the only one whose id begins so. */
async function findOne(deps: SessionsDeps, prefix: string, operator: Operator): Promise<Result<AnySession, Failure>> {
  if (!ID_PREFIX.test(prefix))
    return err(failure('session_unknown', 'wanted S and at least 3 more characters of an id'));
  const visible = visibleTenants(operator, deps.tenants);
  const now = deps.clock.nowSeconds();
  const exact = await deps.store.findSession(prefix);
  if (exact !== undefined && exact.expiresAt > now && visible.includes(exact.role?.tenant ?? '')) return ok(exact);
  // In the order of ids, those that begin so are the first ones after it.
  const found = await deps.store.listSessions({ tenants: visible, now }, prefix, 2);
  const [only, ...more] = found.filter(({ id }) => id.startsWith(prefix));
  if (only === undefined) return err(failure('session_unknown', prefix));
  return more.length === 0 ? ok(only) : err(failure('session_ambiguous', `several ids begin with ${prefix}`));
}

/** The job is buried, so that nothing more is granted to it, and whatever it holds ends. */
async function endJob(
  deps: SessionsDeps,
  { issuer: named, job: jobId }: { readonly job: string; readonly issuer?: string | undefined },
  operator: Operator,
): Answer {
  const problem = endingProblem(operator, null, deps.tenants);
  if (problem !== undefined) return err(problem);
  const issuer = named ?? (deps.issuers.length === 1 ? deps.issuers[0] : undefined);
  if (issuer === undefined || !deps.issuers.includes(issuer)) {
    return err(failure('scope_unknown', `of which issuer is the job: ${deps.issuers.join(', ')}?`));
  }
  const now = deps.clock.nowSeconds();
  const filter = { tenants: [...deps.tenants, ''], issuer, jobId, now };
  // The end waits a little for the look at what it ends, and the job ends also when that cannot be told.
  const looking = deps.store.listSessions(filter, null, 999).catch(() => []);
  await headStart(looking);
  const target = `job ${jobId} of ${issuer}`;
  const record = recordOf(deps, operator, { action: 'job.end', session: null, target, detail: { job: jobId, issuer } });
  const ends = await deps.store.buryJobs([{ issuer, jobId, endedAt: now, expiresAt: now + TOMBSTONE_SECONDS }], record);
  deps.news.notify();
  const endedIds = new Set(ends.map(({ sessionId }) => sessionId));
  const ended = (await looking).filter(({ id }) => endedIds.has(id)).map(told);
  const sessions = ends.length;
  return ok(jsonResponse(200, { buried: { job_id: jobId, issuer }, sessions, ended, felt: FELT_WITHIN }));
}

const recordOf = (
  deps: SessionsDeps,
  operator: Operator,
  o: Pick<ActionRecord, 'action' | 'target' | 'detail'> & { readonly session: AnySession | null },
): ActionRecord => {
  const { session, ...facts } = o;
  const tenant = session?.role?.tenant ?? null;
  return newAction(deps, { ...facts, tenant, actor: { kind: 'client', name: operator.name } });
};

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
