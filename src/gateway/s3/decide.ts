// May this caller make this call? Asks the shared decision for every action on every resource that the call needs.
import { err, ok, type Result } from '../../base/core/result.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { permissionsFor, type S3Permission } from '../../wire/s3/permissions.ts';
import { type Ask, type Knowledge, type Permit, permit, standingOf } from '../authorize.ts';
import type { Caller } from './authenticate.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';

/** What every decision about one request rests on. */
export interface Grounds {
  readonly caller: Caller;
  readonly facts: Ask['facts'];
  readonly knowledge: Knowledge;
}

/** A call that may be carried out, for as long as its permit is not withdrawn. */
export interface Allowed {
  readonly call: S3Call;
  readonly grounds: Grounds;
  /** Null statement: the call names its objects in the body, and `isPermitted` decides about each. */
  readonly permit: Omit<Permit, 'statement'> & { readonly statement: Permit['statement'] | null };
}

/** Decides about a call. Failures: those of `permit`. */
export function decideCall(grounds: Grounds, call: S3Call): Result<Allowed, S3Refusal> {
  const { caller, facts, knowledge } = grounds;
  const { credential } = caller.session;
  if (call.operation === 'DeleteObjects') {
    const { session } = credential;
    const lapsed = standingOf(session, knowledge);
    if (lapsed !== undefined) return err(refusalOf(lapsed, { session }));
    return ok({ call, grounds, permit: { credential, asks: [], statement: null } });
  }
  const [first, ...others] = permissionsFor(call);
  const asks = [{ ...first, facts }, ...others.map((other): Ask => ({ ...other, facts }))] as const;
  const decided = permit(credential, asks, knowledge);
  return decided.ok ? ok({ call, grounds, permit: decided.value }) : err(refusalOf(decided.error, decided.error));
}

/** Whether the caller may do this too, at this moment. */
export function isPermitted({ caller, facts, knowledge }: Grounds, permission: S3Permission): boolean {
  return permit(caller.session.credential, [{ ...permission, facts }], knowledge).ok;
}
