// How the claims of a token differ from what is known of its CI provider: a provider that changes its tokens is noticed before a
// policy that relied on them is.
import type { Claims } from '../core/json.ts';
import { claimOfProvider, providerOf } from './catalogue.ts';
import { JOBPASS, JOBPASS_GITHUB } from './jobpass.ts';
import type { Provider } from './provider.ts';

/** Claims that are not as they are known of the provider. */
export interface ClaimDrift {
  /** Every token of the provider has it, and this one has not. */
  readonly missing: readonly string[];
  /** The provider is not known to have it. */
  readonly unknown: readonly string[];
}

/**
 * The drift of one verified token; undefined when there is none, or nothing is known of the provider. `tellsOfJobs`: the issuer is
 * one of ours, under whichever of the two profiles. Claims of a controller's own, under its prefix, are no drift.
 */
export function claimDrift(issuer: string, claims: Claims, tellsOfJobs: boolean): ClaimDrift | undefined {
  const provider = providerOf(issuer) ?? (tellsOfJobs ? ownProfile(claims) : undefined);
  if (provider === undefined) return undefined;
  const missing = alwaysOf(provider).filter((name) => !Object.hasOwn(claims, name));
  const unknown = Object.keys(claims).filter((name) => !name.includes('/') && !claimOfProvider(provider, name));
  return missing.length === 0 && unknown.length === 0 ? undefined : { missing, unknown };
}

/** What was last found of each issuer: tokens of one provider carry the same names over and over. */
export class DriftWatch {
  readonly #last = new Map<string, { readonly names: readonly string[]; readonly drift: ClaimDrift | undefined }>();

  /** As `claimDrift`. Precondition: `issuer` is a registered one, so there are few. */
  look(issuer: string, claims: Claims, tellsOfJobs: boolean): ClaimDrift | undefined {
    const names = Object.keys(claims);
    const last = this.#last.get(issuer);
    if (last !== undefined && isSame(last.names, names)) return last.drift;
    const drift = claimDrift(issuer, claims, tellsOfJobs);
    this.#last.set(issuer, { names, drift });
    return drift;
  }
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((name, at) => name === others[at]);

const ownProfile = (claims: Claims): Provider => (Object.hasOwn(claims, 'repository_id') ? JOBPASS_GITHUB : JOBPASS);

const known = new Map<Provider, readonly string[]>();

/** The claims that every token of the provider carries. */
function alwaysOf(provider: Provider): readonly string[] {
  const found = known.get(provider);
  if (found !== undefined) return found;
  const always = Object.entries(provider.claims).flatMap(([name, { when }]) =>
    when === undefined && !name.endsWith('*') ? [name] : [],
  );
  known.set(provider, always);
  return always;
}
