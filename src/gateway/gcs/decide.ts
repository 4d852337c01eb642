// May this caller make this call? Asks the shared decision for every action on every resource that the call needs.
import { err, ok, type Result } from '../../base/core/result.ts';
import type { GcsCall } from '../../wire/gcs/call.ts';
import { type GcsPermissions, permissionsFor } from '../../wire/gcs/permissions.ts';
import { type Ask, type Knowledge, type Permit, permit, standingOf } from '../authorize.ts';
import type { Caller } from './authenticate.ts';
import { type GcsRefusal, refusalOf } from './refusal.ts';

/** What every decision about one request rests on. */
export interface Grounds {
  readonly caller: Caller;
  readonly facts: Ask['facts'];
  readonly knowledge: Knowledge;
}

/** What a call may do; a null statement: nothing was asked yet but whether the session stands, for its body names the object. */
export type CallPermit = Omit<Permit, 'statement'> & { readonly statement: Permit['statement'] | null };

/** A call that may be carried out, for as long as its permit is not withdrawn. */
export interface Allowed {
  readonly call: GcsCall;
  readonly grounds: Grounds;
  readonly permit: CallPermit;
}

/** Decides about a call. Failures: those of `permit`. */
export function decideCall(grounds: Grounds, call: GcsCall): Result<Allowed, GcsRefusal> {
  const { credential } = grounds.caller;
  const permissions = permissionsFor(call);
  if (permissions !== null) {
    const decided = decide(grounds, permissions);
    return decided.ok ? ok({ call, grounds, permit: decided.value }) : decided;
  }
  const lapsed = standingOf(credential.session, grounds.knowledge);
  if (lapsed !== undefined) return err(refusalOf(lapsed, { session: credential.session }));
  return ok({ call, grounds, permit: { credential, asks: [], statement: null } });
}

/** Decides, at this moment, about what a call needs. Failures: those of `permit`. */
export function decide(
  { caller, facts, knowledge }: Grounds,
  [first, ...others]: GcsPermissions,
): Result<Permit, GcsRefusal> {
  const asks = [{ ...first, facts }, ...others.map((other): Ask => ({ ...other, facts }))] as const;
  const decided = permit(caller.credential, asks, knowledge);
  return decided.ok ? decided : err(refusalOf(decided.error, decided.error));
}
