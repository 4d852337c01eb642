// The token that a job of a named event would carry: a template filled with parameters. It signs nothing and verifies nothing.
import type { Claims, JsonValue } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { nearestName } from '../document/nearest-name.ts';
import { EVENT_NAMES, type FoundEvent, findEvent } from './catalogue.ts';
import { jobpassClaims } from './jobpass-token.ts';
import { ParameterValues } from './parameter-values.ts';
import type { EventTemplate, Provider, TokenTemplate } from './provider.ts';

/** The claims of a token, as they would be after its signature was verified; or why there is none. */
export interface EventToken {
  readonly provider: Provider;
  readonly event: EventTemplate;
  /** Null: the provider gives such jobs no token. */
  readonly token: { readonly issuer: string; readonly claims: Claims } | null;
}

/** What is wrong with the name of an event (`parameter` absent) or with one of its parameters. */
export interface EventProblem {
  readonly parameter?: string;
  readonly message: string;
  readonly hint?: string;
}

export interface EventOptions {
  /** Values of parameters. */
  readonly with: Readonly<Record<string, string>>;
  /** Instead of the provider's usual issuer. */
  readonly issuer?: string | undefined;
  /** When the token is issued. */
  readonly now: EpochSeconds;
}

/** Makes the token of an event such as `github push main`. */
export function eventToken(name: string, options: EventOptions): Result<EventToken, readonly EventProblem[]> {
  const found = findEvent(name);
  if (found === undefined) return err([unknownEvent(name)]);
  const values = new ParameterValues(found, options.with);
  const problems = values.problems();
  if (problems.length > 0) return err(problems);
  const { provider, event } = found;
  if (event.noToken !== undefined) return ok({ provider, event, token: null });
  const claims = claimsOf(found, values, options.now);
  if (!claims.ok) return claims;
  const issuer = options.issuer ?? values.fill(provider.issuer.usual) ?? '';
  const times = {
    iat: options.now,
    ...(provider.backdatedSeconds === null ? {} : { nbf: options.now - provider.backdatedSeconds }),
    exp: options.now + provider.lifetimeSeconds,
  };
  return ok({ provider, event, token: { issuer, claims: { iss: issuer, ...claims.value, ...times } } });
}

function unknownEvent(name: string): EventProblem {
  const nearest = nearestName(name, EVENT_NAMES) ?? nearestName(name.split(' ').slice(0, -1).join(' '), EVENT_NAMES);
  const ofProvider = EVENT_NAMES.filter((event) => event.startsWith(`${name.split(' ')[0]} `));
  const hint =
    nearest ??
    (ofProvider.length > 0 ? ofProvider.join(', ') : 'github …, gitlab …, buildkite …, circleci …, jobpass …');
  return { message: 'no event has this name', hint };
}

function claimsOf(
  { provider, event }: FoundEvent,
  values: ParameterValues,
  now: EpochSeconds,
): Result<Claims, readonly EventProblem[]> {
  const { token } = provider;
  if ('profile' in token) return jobpassClaims(values, { profile: token.profile, now });
  const sub = subjectOf(token, event, values);
  if (!sub.ok) return err([sub.error]);
  const claims: Record<string, JsonValue> = { sub: sub.value };
  for (const [name, template] of Object.entries({ ...token.claims, ...event.claims })) {
    const value = fillJson(template, values);
    if (value !== undefined) claims[name] = value;
  }
  return ok(claims);
}

function subjectOf(token: TokenTemplate, event: EventTemplate, values: ParameterValues): Result<string, EventProblem> {
  const forms = event.subjects ?? token.subjects;
  const form = values.get('subject') ?? Object.keys(forms)[0] ?? '';
  const encode = (value: string): string => (token.encodesColon === true ? value.replaceAll(':', '%3A') : value);
  for (const template of forms[form] ?? []) {
    const subject = values.fill(template, encode);
    if (subject !== undefined) return ok(subject);
  }
  return err({ parameter: 'subject', message: `subject ${form} needs the parameter ${form}`, hint: `with: ${form}` });
}

/** Texts are filled; what is made of an absent parameter is undefined, and left out of the list it stands in. */
function fillJson(template: JsonValue, values: ParameterValues): JsonValue | undefined {
  if (typeof template === 'string') return values.fill(template);
  if (!Array.isArray(template)) return template;
  return template.flatMap((entry: JsonValue) => {
    const value = fillJson(entry, values);
    return value === undefined ? [] : [value];
  });
}
