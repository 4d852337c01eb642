// Which claims a controller may add to its jobs. Everything that already means something to anyone is refused.
import { isReservedClaim } from '../base/identity/profile.ts';
import { textProblem } from './text.ts';

export const MAX_EXTRA_CLAIMS = 20;

/**
 * Names of the IANA registry "JSON Web Token Claims" that relying parties act on without being told to: AWS takes
 * `azp` for the audience, OIDC libraries read `nonce`, others derive users and rights from the rest.
 */
const REGISTERED_ELSEWHERE: ReadonlySet<string> = new Set([
  ...['acr', 'act', 'amr', 'at_hash', 'auth_time', 'azp', 'c_hash', 'client_id', 'cnf', 'entitlements', 'events'],
  ...['email', 'email_verified', 'family_name', 'given_name', 'groups', 'may_act', 'name', 'nonce', 'phone_number'],
  ...['phone_number_verified', 'preferred_username', 'roles', 's_hash', 'scope', 'scp', 'sid', 'sub_id', 'sub_jwk'],
  ...['toe', 'txn', 'updated_at', 'vc', 'verified_claims', 'vp'],
]);

/** A name that survives every policy language and AWS tags: no spaces, no quotes, no pattern characters. */
const CLAIM_NAME = /^[A-Za-z][A-Za-z0-9_.:/-]*$/;

/** Why the controller with this prefix may not use `name`; undefined when it may. */
export function extraClaimProblem(name: string, prefix: string | null): string | undefined {
  if (prefix === null || prefix === '') return 'this controller has no prefix for extra claims';
  if (textProblem(name) !== undefined || !CLAIM_NAME.test(name)) return 'is not a claim name';
  if (!name.startsWith(prefix) || name === prefix) {
    return `does not begin with this controller's prefix ${JSON.stringify(prefix)}`;
  }
  if (isReservedClaim(name) || REGISTERED_ELSEWHERE.has(name) || name.startsWith('https://aws.amazon.com/')) {
    return 'already has a meaning';
  }
  return undefined;
}
