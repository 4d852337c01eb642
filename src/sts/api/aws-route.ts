// POST /: AWS STS over the one pipeline. It reads and answers; verifying and deciding are exchange's business.
import { failure } from '../../base/core/reasons.ts';
import { ok } from '../../base/core/result.ts';
import { assumedRoleArn, assumedRoleId, parseAwsRoleArn } from '../../base/credential/aws-arn.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { readSessionPolicy } from '../../policy/readers/session-policy.ts';
import { encodeAssumedRole, encodeCallerIdentity } from '../../wire/aws-sts/answer.ts';
import type { AssumeRoleCall } from '../../wire/aws-sts/assume-role.ts';
import { decodeAwsCall } from '../../wire/aws-sts/call.ts';
import {
  type AwsRefusal,
  encodeAwsFault,
  faultOf,
  faultOfStatus,
  leadingOn,
  openRefusal,
} from '../../wire/aws-sts/fault.ts';
import { identifyCaller } from '../caller-identity.ts';
import type { CallerDeps } from '../callers.ts';
import { type AwsCredentials, issueAwsCredentials } from '../credentials.ts';
import { type ExchangeDeps, exchange, issued, refuseUnread } from '../exchange.ts';
import type { Granted } from '../grant.ts';
import type { Refused } from '../refusals.ts';

const WIRE = 'aws';
const REQUEST_ID_BYTES = 16;

export interface AwsRouteDeps {
  readonly exchange: ExchangeDeps;
  /** The `access-token` ring: session tokens are signed by it too. */
  readonly keys: Pick<KeyRing, 'signer' | 'verificationKeys'>;
  /** By group. */
  readonly groupKeys: CallerDeps['groupKeys'];
  readonly store: CallerDeps['store'];
}

/** POST is every call; GET says so, because AWS's own takes calls in URLs, and no token is ever tried in one here. */
export const awsRoutes = (deps: AwsRouteDeps): readonly Route[] => [
  {
    method: 'POST',
    path: '/',
    handle: (request) => handleCall(deps, request),
    refuse: (status, message) => encodeAwsFault(faultOfStatus(status, message), newRequestId(deps)),
  },
  { method: 'GET', path: '/', handle: async (request) => refuseGet(deps, request) },
];

/** An id for what has no decision; of the length of AWS's. */
const newRequestId = ({ exchange: { random } }: AwsRouteDeps): string =>
  Buffer.from(random.bytes(REQUEST_ID_BYTES)).toString('hex');

function refuseGet(deps: AwsRouteDeps, request: HttpRequest): HttpResponse {
  const message =
    'This is a Jobpass STS. AWS clients POST AssumeRoleWithWebIdentity and GetCallerIdentity to this URL, ' +
    'OAuth clients exchange tokens at /token; nothing is read from a URL';
  const answer = refuse(deps, request, openRefusal('request_malformed', 'InvalidAction', message));
  return { ...answer, status: 405, headers: { ...answer.headers, allow: 'POST' } };
}

async function handleCall(deps: AwsRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const call = decodeAwsCall(request);
  if (!call.ok) return refuse(deps, request, call.error);
  try {
    if (call.value.action === 'AssumeRoleWithWebIdentity') return await assumeRole(deps, request, call.value);
    const { clock, clockSkewSeconds, log, stsUrl } = deps.exchange;
    const caller = await identifyCaller({ ...deps, clock, clockSkewSeconds, log, stsUrl }, request);
    if (!caller.ok) return refuse(deps, request, caller.error);
    return encodeCallerIdentity(caller.value, newRequestId(deps));
  } catch (error) {
    deps.exchange.log.error({ err: error, action: call.value.action }, 'a call of AWS STS failed unexpectedly');
    const unexpected = { fault: faultOf('internal_failure'), failure: failure('internal_failure', String(error)) };
    return refuse(deps, request, { ...unexpected, isOpen: false });
  }
}

/** A refusal outside the pipeline: it gets an id, and a place in the ring under it. */
function refuse(deps: AwsRouteDeps, { remoteAddress }: HttpRequest, refusal: AwsRefusal): HttpResponse {
  const opened = { wire: WIRE, role: null, remoteAddress } as const;
  const { decisionId } = refuseUnread(deps.exchange, opened, refusal.failure);
  return encodeAwsFault(refusal.isOpen ? refusal.fault : leadingOn(refusal.fault, decisionId), decisionId);
}

async function assumeRole(deps: AwsRouteDeps, request: HttpRequest, call: AssumeRoleCall): Promise<HttpResponse> {
  const { askedSeconds, policyArns, roleArn: awsRoleArn, sessionName, token } = call;
  const policy = call.policy === null ? ok(null) : readSessionPolicy(call.policy);
  // Told before the token is looked at: it is the same whoever asks, and for whatever role.
  if (!policy.ok) {
    return refuse(deps, request, openRefusal(policy.error.reason, 'MalformedPolicyDocument', policy.error.detail));
  }
  const { remoteAddress } = request;
  const named = { role: { awsRoleArn }, sessionName, sessionPolicy: policy.value, policyArns };
  const asked = { wire: WIRE, token, askedSeconds, remoteAddress, ...named } as const;
  const outcome = await exchange(deps.exchange, asked);
  if (!outcome.ok) return answerRefused(outcome);
  const credentials = await issued(deps.exchange, outcome, { request: asked, issue: () => issue(deps, call, outcome) });
  return credentials.ok ? answerGranted(call, outcome, credentials.value) : answerRefused(credentials.error);
}

const answerRefused = ({ decisionId, packedPolicyPercent, reason }: Refused): HttpResponse =>
  encodeAwsFault(leadingOn(faultOf(reason, packedPolicyPercent), decisionId), decisionId);

function issue(deps: AwsRouteDeps, { roleArn }: AssumeRoleCall, { session }: Granted): Promise<AwsCredentials> {
  const groupKey = deps.groupKeys.get(session.group)?.view.active;
  if (groupKey === undefined) throw new TypeError(`the group ${session.group} has no key`);
  const { stsUrl } = deps.exchange;
  return issueAwsCredentials(session, { stsUrl, signer: deps.keys.signer(), roleArn, groupKey });
}

function answerGranted(
  { roleArn, sessionName }: AssumeRoleCall,
  { audience, decisionId, session }: Granted,
  credentials: AwsCredentials,
): HttpResponse {
  const { issuer, sourceIdentity, subject } = session;
  const role = {
    audience,
    assumedRoleId: assumedRoleId(roleArn, sessionName),
    assumedRoleArn: assumedRoleArn(roleArn, sessionName),
    provider: providerArn(roleArn, issuer),
    credentials,
    subject,
    packedPolicyPercent: credentials.packedPolicyPercent,
    sourceIdentity,
  };
  return encodeAssumedRole(role, decisionId);
}

/** How AWS calls an issuer in the role's account: by its URL without the scheme. */
function providerArn(roleArn: string, issuer: string): string {
  const account = parseAwsRoleArn(roleArn)?.account ?? '';
  return `arn:aws:iam::${account}:oidc-provider/${issuer.replace(/^https?:\/\//, '')}`;
}
