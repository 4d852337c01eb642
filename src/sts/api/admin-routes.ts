// The operator's routes, on a listener of their own: why a decision fell, and what one would be. They grant nothing.
import * as z from 'zod';
import type { DecisionRecord } from '../../base/audit/record.ts';
import type { Client, StsGrant } from '../../base/client-auth/client.ts';
import { formatRoleRef } from '../../base/core/decision.ts';
import type { Claims } from '../../base/core/json.ts';
import { type Failure, failure, safeReason } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import { withoutTrailingSpace } from '../../base/jwt/pasted.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../../base/ports/http.ts';
import { notPermitted, type OperatorDeps, operatorRoute } from '../../base/refusal/operator-route.ts';
import { nearestRole } from '../../policy/nearest.ts';
import { parseQuery } from '../../wire/query.ts';
import { parseRoleAudience } from '../../wire/rfc8693/request.ts';
import { type DecisionsDeps, findDecision, listDecisions } from '../decisions.ts';
import { type EvaluateDeps, type Evaluation, evaluate } from '../evaluate.ts';

const DEFAULT_LIMIT = 20;

export interface AdminDeps extends DecisionsDeps, EvaluateDeps, OperatorDeps<StsGrant> {
  readonly store: DecisionsDeps['store'] & EvaluateDeps['store'];
}

type Operator = Client<StsGrant>;
type Handler = (deps: AdminDeps, request: HttpRequest, operator: Operator) => Promise<Result<HttpResponse, Failure>>;

/** For operators, within what their entry says that they may. */
export function adminRoutes(deps: AdminDeps): readonly Route[] {
  const route = (method: Route['method'], path: string, handler: Handler): Route =>
    operatorRoute(deps, { method, path }, (request, operator) => handler(deps, request, operator));
  return [
    route('GET', '/admin/v1/decisions', handleList),
    route('GET', '/admin/v1/decisions/:id', handleShow),
    route('POST', '/admin/v1/evaluate', handleEvaluate),
  ];
}

/** `{"decision", "nearest": {"role", "missing"} | null, "safe_reason"}`. */
async function handleShow(deps: AdminDeps, request: HttpRequest, operator: Operator): ReturnType<Handler> {
  const { read } = operator.may;
  if (read.length === 0) return err(notPermitted('read'));
  const found = await findDecision(deps, { idOrPrefix: request.params.id ?? '', readable: read });
  if (!found.ok) return err(found.error);
  const decision = found.value;
  const safe = decision.reason === null ? null : safeReason(decision.reason);
  return ok(jsonResponse(200, { decision, nearest: nearestTo(deps, decision), safe_reason: safe }));
}

/** The role that this identity comes nearest to by the policies as they are now; null for a grant, or without identity. */
function nearestTo(deps: AdminDeps, decision: DecisionRecord): { role: string; missing: number } | null {
  if (decision.outcome === 'granted' || decision.role === null || decision.issuer === '') return null;
  const { claims, issuer, remoteAddress, role } = decision;
  const token = { issuer, claims, now: Math.floor(decision.at / 1000), sourceAddress: remoteAddress };
  const nearest = nearestRole(deps.policies.current(), { token, except: role });
  return nearest === undefined ? null : { role: formatRoleRef(nearest.ref), missing: nearest.missing };
}

/** `{"decisions", "unverified"}`: the newest first, and how often each reason was given before any token was verified. */
async function handleList(deps: AdminDeps, request: HttpRequest, operator: Operator): ReturnType<Handler> {
  const { read } = operator.may;
  if (read.length === 0) return err(notPermitted('read'));
  const query = parseQuery(request.query);
  if (!query.ok) return err(query.error);
  const [limit = String(DEFAULT_LIMIT), ...more] = query.value.get('limit') ?? [];
  if (more.length > 0 || !/^[1-9][0-9]{0,2}$/.test(limit)) {
    return err(failure('request_malformed', 'limit is not one number from 1 to 999'));
  }
  const decisions = await listDecisions(deps, { limit: Number(limit), readable: read });
  return ok(jsonResponse(200, { decisions, unverified: Object.fromEntries(deps.ring.counts()) }));
}

/** `{"decision": "allow" | "deny", "reason", "safe_reason", "detail", "trace"}`. */
async function handleEvaluate(deps: AdminDeps, request: HttpRequest, operator: Operator): ReturnType<Handler> {
  const asked = parseEvaluation(request.body);
  if (!asked.ok) return err(asked.error);
  if (!operator.may.evaluate.includes(asked.value.role.tenant)) return err(notPermitted('evaluate'));
  return ok(jsonResponse(200, await evaluate(deps, asked.value)));
}

const evaluationSchema = z.strictObject({
  role: z.string(),
  token: z.string().optional(),
  claims: z.record(z.string(), z.json()).optional(),
  asked_seconds: z.number().int().positive().optional(),
});

function parseEvaluation(body: Uint8Array): Result<Evaluation, Failure> {
  const json = parseJsonObject(body);
  if (!json.ok) return malformed(`${json.error.problem} at byte ${json.error.offset}`);
  const parsed = evaluationSchema.safeParse(json.value);
  if (!parsed.success) return malformed('wanted role, token or claims, and perhaps asked_seconds');
  const { asked_seconds: askedSeconds, role: name, token } = parsed.data;
  const role = parseRoleAudience(`urn:jobpass:role:${name}`);
  if (role === undefined) return malformed('role is not of the form tenant/name');
  // From the parsed body, not from the schema: only the strict parser keeps every member as it is.
  const claims = parsed.data.claims === undefined ? undefined : (json.value.claims as Claims);
  if ((token === undefined) === (claims === undefined)) return malformed('wanted either token or claims');
  const identity = token === undefined ? { claims: claims ?? {} } : { token: withoutTrailingSpace(token) };
  return ok({ role, identity, askedSeconds });
}

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
