// Finds a provider, one of its claims or one of its events by name. It knows nothing that is not in the providers' files.
import { BUILDKITE } from './buildkite.ts';
import { CIRCLECI } from './circleci.ts';
import { GITHUB } from './github.ts';
import { GITLAB } from './gitlab.ts';
import { JOBPASS, JOBPASS_GITHUB } from './jobpass.ts';
import type { EventTemplate, Provider, ProviderClaim } from './provider.ts';

/** Every provider whose claims are known. */
export const PROVIDERS: readonly Provider[] = [GITHUB, GITLAB, BUILDKITE, CIRCLECI, JOBPASS, JOBPASS_GITHUB];

/** The provider that certainly signs under this issuer; undefined for instances of their own and for what is not known. */
export const providerOf = (issuer: string): Provider | undefined =>
  PROVIDERS.find((provider) => provider.issuer.pattern?.test(issuer) === true);

/** What is known of a claim, by its exact name first. */
export function claimOfProvider(provider: Provider, name: string): ProviderClaim | undefined {
  if (Object.hasOwn(provider.claims, name)) return provider.claims[name];
  const family = Object.keys(provider.claims).find((key) => key.endsWith('*') && name.startsWith(key.slice(0, -1)));
  return family === undefined ? undefined : provider.claims[family];
}

/** An event that was found by its name, and what the word after the name said. */
export interface FoundEvent {
  readonly provider: Provider;
  readonly event: EventTemplate;
  readonly argument: string | undefined;
}

/** The event that a test names: `github tag`, or with one more word for its parameter, `github tag v1.2.3`. */
export function findEvent(name: string): FoundEvent | undefined {
  const known = PROVIDERS.flatMap((provider) => provider.events.map((event) => ({ provider, event })));
  const exact = known.find(({ event }) => event.name === name || event.alias === name);
  if (exact !== undefined) return { ...exact, argument: undefined };
  const cut = name.lastIndexOf(' ');
  const argument = name.slice(cut + 1);
  const withArgument = known.find(
    ({ event }) => event.argument !== undefined && event.name === name.slice(0, cut) && argument !== '',
  );
  return withArgument === undefined ? undefined : { ...withArgument, argument };
}

/** The name of every event, aliases too. */
export const EVENT_NAMES: readonly string[] = PROVIDERS.flatMap(({ events }) =>
  events.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])),
);
