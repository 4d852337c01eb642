// What every request of a gateway passes before it is looked at: whose it is by its address, and whether there were too many of them.
import type { IncomingMessage } from 'node:http';
import { callerAddress, FORWARDED_FOR, sourceOf, type TrustedProxies } from '../base/address/caller-address.ts';
import type { Failure } from '../base/core/reasons.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import { type Limits, NO_LIMITS } from '../base/limit/rate-limits.ts';
import type { Refusal } from './authorize.ts';
import { callerOf } from './turns.ts';

/** Who a caller is by address, and whether there were too many requests. */
export interface Entrance {
  /** The caller's address: the peer's, or that of whom a trusted proxy speaks for. Empty when nobody knows. */
  addressOf(req: IncomingMessage): string;
  /** Counts a request by its address; the failure when there were too many. */
  refuse(req: IncomingMessage): Failure | undefined;
  /** Counts a request by the job of its verified session, as `refuse` does. */
  refuseSession(session: CarriedSession): Refusal | undefined;
}

/** How much is let in, and whose word about addresses counts. */
export interface EntranceOptions {
  /** Absent: nobody is counted. */
  readonly limits?: Limits;
  /** Absent: no proxy's word is taken. */
  readonly trustedProxies?: TrustedProxies;
}

/** The entrance of one gateway, shared by its fronts. */
export function createEntrance({ limits = NO_LIMITS, trustedProxies = [] }: EntranceOptions): Entrance {
  const addressOf = ({ headers, socket }: IncomingMessage): string => {
    const forwarded = headers[FORWARDED_FOR];
    return callerAddress(socket.remoteAddress, typeof forwarded === 'string' ? [forwarded] : [], trustedProxies);
  };
  return {
    addressOf,
    refuse: (req) => limits.check('source', sourceOf(addressOf(req))),
    refuseSession: (session) => {
      const limited = limits.check('job', callerOf(session).name);
      return limited === undefined ? undefined : { ...limited, session };
    },
  };
}
