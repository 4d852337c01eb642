// May this caller make this call? Asks the shared decision for every action on every resource that the call needs.
import { err, ok, type Result } from '../../base/core/result.ts';
import {
  type Ask,
  type Credential,
  type Knowledge,
  type Permit,
  permit,
  type Refusal,
  standingOf,
} from '../authorize.ts';

/** What every decision about one request rests on. */
export interface Grounds {
  readonly credential: Credential;
  readonly facts: Ask['facts'];
  readonly knowledge: Knowledge;
}

type Permission = Pick<Ask, 'action' | 'resource'>;

/** All that a call needs, one thing at least. */
export type Permissions = readonly [Permission, ...Permission[]];

/** What a call may do; a null statement: nothing was asked yet but whether the session stands, for its body names the objects. */
export type CallPermit = Omit<Permit, 'statement'> & { readonly statement: Permit['statement'] | null };

/** Decides, at this moment, about all of `permissions`. Failures: those of `permit`. */
export function decide(
  { credential, facts, knowledge }: Grounds,
  [first, ...others]: Permissions,
): Result<Permit, Refusal> {
  return permit(credential, [{ ...first, facts }, ...others.map((other): Ask => ({ ...other, facts }))], knowledge);
}

/** Decides about a call; null: only its body names what it needs, and the session must stand. Failures: those of `permit`. */
export function decideCall(grounds: Grounds, permissions: Permissions | null): Result<CallPermit, Refusal> {
  if (permissions !== null) return decide(grounds, permissions);
  const { credential, knowledge } = grounds;
  const lapsed = standingOf(credential.session, knowledge);
  if (lapsed !== undefined) return err({ ...lapsed, session: credential.session });
  return ok({ credential, asks: [], statement: null });
}
