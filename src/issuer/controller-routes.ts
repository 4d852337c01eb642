// The controllers' routes: start, look at, keep alive and finish their own jobs. Another controller's job does not
// exist here.
import * as z from 'zod';
import type { JsonObject } from '../base/core/json.ts';
import { failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Secret } from '../base/core/secret.ts';
import { subjectOf } from '../base/identity/subject.ts';
import { parseJsonObject } from '../base/json/parse.ts';
import { type HttpRequest, jsonResponse } from '../base/ports/http.ts';
import { type Refusal, refuse } from '../base/refusal/refusal.ts';
import { idTokenRequestUrl } from '../wire/github/id-token.ts';
import type { IssuerContext } from './context.ts';
import { MAX_REQUEST_TOKENS, newRequestToken, requestTokenRecord } from './request-token.ts';
import type { Outcome, RouteDefinition } from './route.ts';
import { type Controller, startJob } from './start-job.ts';
import { MAX_AUDIENCES, type StartSchema, startSchema } from './start-schema.ts';
import type { Job } from './store.ts';
import { toldAudiences } from './told.ts';

/** The routes under `/v1/jobs` that need a client with `jobs`. */
export function controllerRoutes(context: IssuerContext): readonly RouteDefinition[] {
  const schema = startSchema(context.settings);
  return [
    { method: 'POST', path: '/v1/jobs', handler: (_, request) => start(context, request, schema) },
    { method: 'GET', path: '/v1/jobs/:id', handler: show },
    { method: 'POST', path: '/v1/jobs/:id/heartbeat', handler: heartbeat },
    { method: 'POST', path: '/v1/jobs/:id/finish', handler: finish },
    { method: 'POST', path: '/v1/jobs/:id/request-tokens', handler: addRequestToken },
  ];
}

async function start(context: IssuerContext, request: HttpRequest, schema: StartSchema): Promise<Outcome> {
  const controller = await asController(context, request);
  if (!controller.ok) return controller;
  const who = `client:${controller.value.name}`;
  const body = readBody(request, who);
  if (!body.ok) return body;
  const started = await startJob(context, schema, { controller: controller.value, body: body.value });
  if (!started.ok) return err(refuseController(started.error, who));
  const { job, requestToken, created } = started.value;
  return ok(
    jsonResponse(created ? 201 : 200, {
      job_id: job.id,
      deadline: job.deadline,
      ...requestTokenMembers(context, job, requestToken),
    }),
  );
}

async function show(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const own = await ownJob(context, request);
  return own.ok ? ok(jsonResponse(200, describe(context, own.value.job))) : own;
}

async function heartbeat(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const own = await ownJob(context, request);
  if (!own.ok) return own;
  const { job, who } = own.value;
  const now = context.clock.nowSeconds();
  if (job.endedAt !== null || !(await context.store.heartbeat(job.id, now))) {
    return err(refuseController(failure('job_ended', `heartbeat of job ${job.id}`), who));
  }
  return ok(jsonResponse(200, describe(context, { ...job, lastHeartbeatAt: Math.max(job.lastHeartbeatAt, now) })));
}

/**
 * Whatever stands in the body is ignored: nothing may keep a finished job alive. The answer says besides, for each audience that the
 * job got a token for, who hears of the end.
 */
async function finish(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const own = await ownJob(context, request);
  if (!own.ok) return own;
  const job = await context.ends.finish(own.value.job);
  const told = (await toldAudiences(context, job)).map(({ audience, heard, tokensUntil }) => ({
    audience,
    heard,
    tokens_until: tokensUntil,
  }));
  return ok(jsonResponse(200, { ...describe(context, job), told }));
}

const narrowedSchema = z.strictObject({ audiences: z.array(z.string()).min(1).max(MAX_AUDIENCES) });

async function addRequestToken(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const own = await ownJob(context, request);
  if (!own.ok) return own;
  const { job, who } = own.value;
  const body = readBody(request, who);
  if (!body.ok) return body;
  const asked = narrowedSchema.safeParse(body.value);
  if (!asked.success) {
    return err(refuse(failure('request_malformed', `audiences: wanted a list of 1 to ${MAX_AUDIENCES} strings`), who));
  }
  const audiences = [...new Set(asked.data.audiences)];
  if (!audiences.every((audience) => job.audiences.includes(audience))) {
    return err(refuse(failure('audience_not_permitted', `job ${job.id}: not a subset of the job's list`), who));
  }
  const requestToken = newRequestToken(context.random);
  const record = requestTokenRecord(requestToken, job.id, audiences);
  const added = job.endedAt === null ? await context.store.addRequestToken(record, MAX_REQUEST_TOKENS) : 'job_ended';
  if (added === 'job_ended') return err(refuseController(failure('job_ended', `job ${job.id}`), who));
  if (added === 'too_many') return err(refuse(failure('too_many_request_tokens', `job ${job.id}`), who));
  return ok(jsonResponse(201, { audiences, ...requestTokenMembers(context, job, requestToken) }));
}

/** A controller that speaks of its job too late is in conflict with the job's state, not without permission. */
const refuseController = (failed: Parameters<typeof refuse>[0], who: string): Refusal =>
  failed.reason === 'job_ended' ? refuse(failed, who, 409) : refuse(failed, who);

async function asController(context: IssuerContext, request: HttpRequest): Promise<Result<Controller, Refusal>> {
  const client = await context.clients.authenticate(request);
  if (!client.ok) return err(refuse(client.error, null));
  const { jobs } = client.value.may;
  if (jobs === null) {
    return err(refuse(failure('client_not_permitted', 'the client is no controller'), `client:${client.value.name}`));
  }
  return ok({ ...client.value, may: { ...client.value.may, jobs } });
}

/** The job of the path, settled, when it is this controller's; otherwise `job_unknown`, whether or not there is one. */
async function ownJob(
  context: IssuerContext,
  request: HttpRequest,
): Promise<Result<{ readonly job: Job; readonly who: string }, Refusal>> {
  const controller = await asController(context, request);
  if (!controller.ok) return controller;
  const who = `client:${controller.value.name}`;
  const job = await context.store.findJob(request.params.id ?? '');
  if (job === undefined || job.controller !== controller.value.name) {
    return err(refuse(failure('job_unknown', job === undefined ? 'no such job' : `job ${job.id} is another's`), who));
  }
  return ok({ job: await context.ends.settle(job), who });
}

function readBody(request: HttpRequest, who: string): Result<JsonObject, Refusal> {
  const body = parseJsonObject(request.body);
  if (body.ok) return body;
  const { problem, offset } = body.error;
  return err(refuse(failure('request_malformed', `body: ${problem} (byte ${offset})`), who));
}

function requestTokenMembers(context: IssuerContext, job: Job, requestToken: Secret): JsonObject {
  const requestUrl = idTokenRequestUrl(`${context.settings.url}/v1/jobs/${job.id}/id-token`);
  return {
    request_url: requestUrl,
    request_token: requestToken.reveal(),
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken.reveal(),
      JOBPASS_ISSUER: context.settings.url,
      JOBPASS_JOB_ID: job.id,
    },
  };
}

function describe(context: IssuerContext, job: Job): JsonObject {
  const subject = subjectOf(job.facts, context.settings.profile);
  return {
    job_id: job.id,
    status: job.endedAt === null ? 'running' : 'ended',
    subject: subject.ok ? subject.value : null,
    audiences: job.audiences,
    started_at: job.startedAt,
    deadline: job.deadline,
    heartbeat_seconds: job.heartbeatSeconds,
    last_heartbeat_at: job.lastHeartbeatAt,
    ended_at: job.endedAt,
    end_reason: job.endReason,
  };
}
