// AWS's identity-provider controls: a role that trusts a shared issuer must say which of its tenants it means.
import type { Condition } from '../iam/conditions.ts';
import { asciiLower } from '../iam/template.ts';
import type { FederatedProvider } from '../trust/aws-statement.ts';
import { SHARED_ISSUERS } from './aws-shared-issuers.ts';

/**
 * The provider and the key to limit, when it is shared and no condition limits a tenant; undefined when all is well. A condition
 * counts when it is positive and every value holds more than wildcards: one bare star among the alternatives lets all tenants in.
 * `IfExists` and `ForAllValues:` count: the claims are in every token of these issuers.
 */
export function unlimitedProvider(
  { principal }: FederatedProvider,
  conditions: readonly Condition[],
): { readonly provider: string; readonly key: string } | undefined {
  const provider = asciiLower(principal.replace(/^arn:[^/]*\//, ''));
  const claims = SHARED_ISSUERS.get(provider);
  const [first] = claims ?? [];
  if (claims === undefined || first === undefined) return undefined;
  const keys = new Set(claims.map((claim) => asciiLower(keyOf(provider, claim))));
  const isLimited = conditions.some((one) => keys.has(one.lookup) && limits(one));
  return isLimited ? undefined : { provider, key: keyOf(provider, first) };
}

const keyOf = (provider: string, claim: string): string => (claim.includes(':') ? claim : `${provider}:${claim}`);

function limits({ operator, operands }: Condition): boolean {
  if (operator.comparison === null || operator.comparison.negated || !operator.name.includes('String')) return false;
  return operands.length > 0 && operands.every(({ source }) => NAMES_SOMEBODY.test(source.replace(VARIABLES, '')));
}

const VARIABLES = /\$\{[^}]*\}/g;
/** Wildcards and separators alone name nobody; nor does a variable, which may be the claim itself. */
const NAMES_SOMEBODY = /[^*?:/]/;
