// Tells what a job's identity says, from a fresh ID token. The claims are shown, not trusted; the token itself never appears.
import type { Claims, JsonValue } from '../base/core/json.ts';
import { stringMember } from '../base/core/json.ts';
import type { Result } from '../base/core/result.ts';
import { ok } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { type Environment, requestIdToken, type Transport } from './client.ts';
import type { RunnerFailure } from './failure.ts';
import { printable } from './http.ts';

/** A job's identity in words. Every text is safe for a terminal. */
export interface Identity {
  readonly subject: string;
  readonly issuer: string;
  readonly audience: string;
  readonly expiresAt: EpochSeconds;
  /** The remaining claims that a policy can name, the ones people ask for first. */
  readonly claims: readonly { readonly name: string; readonly value: string }[];
}

/** What answers "who am I" soonest, in our names and in GitHub's. */
const FIRST: readonly string[] = [
  'owner owner_id repository_owner repository_owner_id pipeline pipeline_id repository repository_id workflow job job_id',
  'ref ref_type ref_protected sha environment environment_protected fork head_pipeline_id event event_name actor actor_id',
  'runner_environment interactive job_deadline',
].flatMap((line) => line.split(' '));
const SHOWN_APART: ReadonlySet<string> = new Set(['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'jti']);

/** Asks for an ID token for `audience` and describes it. Fails as requestIdToken does. */
export async function whoami(
  transport: Transport,
  request: { readonly env: Environment; readonly audience: string },
): Promise<Result<Identity, RunnerFailure>> {
  const token = await requestIdToken(transport, request);
  return token.ok ? ok(describeIdentity(token.value.claims, token.value.expiresAt)) : token;
}

/** The claims of an ID token in the order people read them. */
export function describeIdentity(claims: Claims, expiresAt: EpochSeconds): Identity {
  const names = Object.keys(claims).filter((name) => !SHOWN_APART.has(name));
  const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return {
    subject: printable(stringMember(claims, 'sub') ?? ''),
    issuer: printable(stringMember(claims, 'iss') ?? ''),
    audience: text(claims.aud ?? ''),
    expiresAt,
    claims: names.map((name) => ({ name: printable(name), value: text(claims[name] ?? '') })),
  };
}

const text = (value: JsonValue): string => printable(typeof value === 'string' ? value : JSON.stringify(value));
