// The token that one test presents: claims written out, a captured token, or that of a named event. Nothing of it is verified.
import { type Claims, isJsonObject, type JsonObject, type JsonValue, stringMember } from '../../base/core/json.ts';
import { printable } from '../../base/core/printable.ts';
import type { Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { nearestName } from '../../base/document/nearest-name.ts';
import type { Report } from '../../base/document/read.ts';
import { entriesAt, textAt, valueAt } from '../../base/document/value-at.ts';
import { parseJws } from '../../base/jwt/jws.ts';
import { claimOfProvider, findEvent } from '../../base/providers/catalogue.ts';
import { eventToken } from '../../base/providers/event-token.ts';
import type { Provider } from '../../base/providers/provider.ts';

/** Issuer and claims, or why a job of this event has no token to present. */
export type PresentedToken =
  | { readonly issuer: string; readonly claims: Claims }
  | { readonly issuer: null; readonly why: string };

export interface TokenContext {
  readonly report: Report;
  /** Parameters for all events of the file, of which each takes those that it knows. */
  readonly shared: JsonObject;
  readonly now: EpochSeconds;
  readonly readToken: (path: string) => Result<string, string>;
}

/** What the claims of a test are put over. */
interface Base {
  readonly issuer: string;
  readonly claims: Claims;
  readonly provider?: Provider;
}

/** The token of a test as it is written; undefined when it has a problem, which then is reported. */
export function presentedToken(test: JsonObject, context: TokenContext): PresentedToken | undefined {
  const { report } = context;
  const event = textAt(test, ['event']);
  const tokenFile = textAt(test, ['token_file']);
  if (event === undefined && valueAt(test, ['with']) !== undefined) report(['with'], 'only an event has parameters');
  if (event !== undefined && tokenFile !== undefined) {
    report(['token_file'], 'wanted an event or a captured token, not both');
    return undefined;
  }
  if (event !== undefined) return ofEvent(event, test, context);
  const base = tokenFile === undefined ? writtenOut(test, report) : captured(tokenFile, test, context);
  return base === undefined ? undefined : merged(base, test, report);
}

function ofEvent(name: string, test: JsonObject, context: TokenContext): PresentedToken | undefined {
  const parameters = { ...knownOf(name, context.shared), ...textsOf(valueAt(test, ['with'])) };
  const made = eventToken(name, { with: parameters, issuer: textAt(test, ['issuer']), now: context.now });
  if (!made.ok) {
    for (const { parameter, message, hint } of made.error)
      context.report(parameter === undefined ? ['event'] : ['with', parameter], message, hint);
    return undefined;
  }
  const { provider, event, token } = made.value;
  if (token === null) return { issuer: null, why: event.noToken ?? '' };
  return merged({ ...token, provider }, test, context.report);
}

/** The shared parameters that this event's provider has. */
function knownOf(event: string, shared: JsonObject): Record<string, string> {
  const parameters = findEvent(event)?.provider.parameters ?? {};
  return Object.fromEntries(Object.entries(textsOf(shared)).filter(([name]) => Object.hasOwn(parameters, name)));
}

const textsOf = (value: JsonValue | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isJsonObject(value) ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

function captured(path: string, test: JsonObject, { report, readToken }: TokenContext): Base | undefined {
  const refuse = (message: string): undefined => {
    report(['token_file'], message);
    return undefined;
  };
  if (valueAt(test, ['issuer']) !== undefined) report(['issuer'], 'a captured token names its issuer itself');
  const text = readToken(path);
  if (!text.ok) return refuse(text.error);
  const token = parseJws(text.value.trim());
  if (!token.ok) return refuse(`${printable(path)}: ${token.error.detail}`);
  const issuer = stringMember(token.value.claims, 'iss');
  return issuer === undefined
    ? refuse(`${printable(path)}: the token has no iss`)
    : { issuer, claims: token.value.claims };
}

function writtenOut(test: JsonObject, report: Report): Base | undefined {
  const issuer = textAt(test, ['issuer']);
  if (valueAt(test, ['claims']) === undefined) {
    report([], 'wanted claims with an issuer, an event, or a token_file', 'event: github push main');
    return undefined;
  }
  if (issuer === undefined) report(['issuer'], 'wanted the issuer of these claims');
  return issuer === undefined ? undefined : { issuer, claims: {} };
}

/** The base with the test's own claims over it and without those it takes away. */
function merged(base: Base, test: JsonObject, report: Report): PresentedToken | undefined {
  const own = valueAt(test, ['claims']);
  const claims: Record<string, JsonValue> = { ...base.claims, ...(isJsonObject(own) ? own : {}) };
  for (const [index, entry] of entriesAt(test, ['without']).entries()) {
    const name = String(entry);
    if (!Object.hasOwn(claims, name)) report(['without', index], 'the token carries no such claim anyway');
    delete claims[name];
  }
  let isSound = true;
  if (Object.hasOwn(claims, 'iss') && claims.iss !== base.issuer) {
    report(['claims', 'iss'], `wanted ${printable(base.issuer)}, as the issuer is called`, 'issuer: says another one');
    isSound = false;
  }
  for (const name of isJsonObject(own) ? Object.keys(own) : []) {
    const meant = misspelt(name, base);
    if (meant === undefined) continue;
    report(['claims', name], `tokens of ${base.provider?.title} carry no claim of this name`, meant);
    isSound = false;
  }
  // Every token names its issuer; who writes claims out need not say it twice.
  return isSound ? { issuer: base.issuer, claims: { iss: base.issuer, ...claims } } : undefined;
}

/** The claim that was probably meant: a test with a mistyped claim proves nothing, and nobody would notice. */
function misspelt(name: string, { provider }: Base): string | undefined {
  if (provider === undefined || claimOfProvider(provider, name) !== undefined) return undefined;
  return nearestName(name, Object.keys(provider.claims));
}
