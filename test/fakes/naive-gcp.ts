// Google's workload identity federation a second time, deliberately naive: expressions are looked up in a table of what they
// mean in plain JavaScript, members are taken apart, nothing is compiled. Tests compare the real evaluator with it.
// Precondition: the real reader accepted the document, and its expressions come from the tables below.
import type { Claims, JsonValue } from '../../src/base/core/json.ts';

interface Variables {
  readonly assertion: Readonly<Record<string, JsonValue | undefined>>;
  readonly google?: { readonly subject: string; readonly groups?: readonly string[] };
  readonly attribute?: Readonly<Record<string, string>>;
}
type Meaning = (variables: Variables) => unknown;

const fail = (): never => {
  throw new Error('CEL error');
};
/** A claim that must be there. */
const claim = ({ assertion }: Variables, name: string): unknown =>
  assertion[name] ?? (name in assertion ? null : fail());
const text = (value: unknown): string => (typeof value === 'string' ? value : fail());

/** What each expression of the random mappings means. */
export const MAPPINGS: Readonly<Record<string, Meaning>> = {
  'assertion.sub': (v) => claim(v, 'sub'),
  'assertion.a': (v) => claim(v, 'a'),
  "'x'": () => 'x',
  "'c:' + assertion.a": (v) => `c:${text(claim(v, 'a'))}`,
  'assertion.g': (v) => claim(v, 'g'),
  '[assertion.a]': (v) => [claim(v, 'a')],
  "assertion.a == 'x'": (v) => claim(v, 'a') === 'x',
  "has(assertion.b) ? assertion.b : 'none'": (v) => ('b' in v.assertion ? v.assertion.b : 'none'),
  "assertion.a.split('/')[0]": (v) => text(claim(v, 'a')).split('/')[0],
  "assertion.a.extract('x/{v}/')": (v) => /^.*?x\/([^/]*)\//s.exec(text(claim(v, 'a')))?.[1] ?? '',
  "assertion.a.extract('x/{v}')": (v) => /^.*?x\/(.*)$/s.exec(text(claim(v, 'a')))?.[1] ?? '',
  'assertion.a.upperAscii()': (v) => text(claim(v, 'a')).toUpperCase(),
};

const attribute = (v: Variables, name: string): string => v.attribute?.[name] ?? fail();

/** What each part of the random conditions means. */
export const CONDITIONS: Readonly<Record<string, Meaning>> = {
  "assertion.a == 'x'": (v) => claim(v, 'a') === 'x',
  "assertion.a != 'y'": (v) => claim(v, 'a') !== 'y',
  'has(assertion.b)': (v) => 'b' in v.assertion,
  "assertion.b in ['x', 'y']": (v) => ['x', 'y'].includes(claim(v, 'b') as string),
  "assertion.a.startsWith('x')": (v) => text(claim(v, 'a')).startsWith('x'),
  "google.subject == 'x'": (v) => v.google?.subject === 'x',
  "'x' in google.groups": (v) => (v.google?.groups ?? fail()).includes('x'),
  "attribute.r == 'x'": (v) => attribute(v, 'r') === 'x',
  "attribute.r.contains('x')": (v) => attribute(v, 'r').includes('x'),
  'assertion.a': (v) => claim(v, 'a'),
  true: () => true,
};

export interface NaiveGcpDocument {
  readonly provider: {
    readonly name: string;
    readonly disabled?: boolean;
    readonly attributeMapping: Readonly<Record<string, string>>;
    /** Parts of CONDITIONS joined by ` && ` or by ` || `, never by both. */
    readonly attributeCondition?: string;
    readonly oidc: { readonly issuerUri: string; readonly allowedAudiences?: readonly string[] };
  };
  readonly direct?: boolean;
  readonly bindings?: readonly { readonly role: string; readonly members: readonly string[] }[];
}

/** Whether the document lets the token in. */
export function naiveGcp(
  document: NaiveGcpDocument,
  token: { readonly issuer: string; readonly claims: Claims },
): boolean {
  const { provider } = document;
  const names = [`//iam.googleapis.com/${provider.name}`, `https://iam.googleapis.com/${provider.name}`];
  const wanted = provider.oidc.allowedAudiences?.length ? provider.oidc.allowedAudiences : names;
  const aud = Array.isArray(token.claims.aud) && token.claims.aud.length === 1 ? token.claims.aud[0] : token.claims.aud;
  if (provider.disabled || provider.oidc.issuerUri !== token.issuer) return false;
  if (typeof aud !== 'string' || !wanted.includes(aud)) return false;
  try {
    const variables = mapped(provider.attributeMapping, token.claims);
    const { attributeCondition } = provider;
    if (attributeCondition !== undefined && conditionOf(attributeCondition, variables) !== true) return false;
    return document.bindings === undefined || isBound(document, variables);
  } catch {
    return false;
  }
}

function mapped(mapping: Readonly<Record<string, string>>, assertion: Claims): Variables {
  const values = Object.entries(mapping).map(
    ([key, source]) => [key, (MAPPINGS[source] ?? fail)({ assertion })] as const,
  );
  for (const [key, value] of values) {
    if (key !== 'google.groups') text(value);
    else if (!Array.isArray(value) || value.some((group) => typeof group !== 'string')) fail();
    if (key === 'google.subject' && (value === '' || new TextEncoder().encode(text(value)).length > 127)) fail();
  }
  const under = (prefix: string): Record<string, never> =>
    Object.fromEntries(
      values
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value as never]),
    );
  return { assertion, google: under('google.') as never, attribute: under('attribute.') };
}

/** Three values: an error is undone by a false beside `&&` and by a true beside `||`, as CEL says. */
function conditionOf(source: string, variables: Variables): unknown {
  const isOr = source.includes(' || ');
  const values = source.split(isOr ? ' || ' : ' && ').map((part) => {
    try {
      return (CONDITIONS[part] ?? fail)(variables);
    } catch {
      return 'error';
    }
  });
  if (values.includes(isOr)) return isOr;
  return values.every((value) => value === !isOr) ? !isOr : 'error';
}

function isBound(
  { provider, bindings, direct }: NaiveGcpDocument,
  { google, attribute: mappedTo }: Variables,
): boolean {
  const pool = `//iam.googleapis.com/${provider.name.split('/providers/')[0]}/`;
  const counting = (bindings ?? []).filter(({ role }) => direct || role === 'roles/iam.workloadIdentityUser');
  return counting
    .flatMap(({ members }) => members)
    .some((member) => {
      const [kind, rest = ''] = member.split(`:${pool}`);
      const [what = '', ...more] = rest.split('/');
      const value = more.join('/');
      if (kind === 'principal') return what === 'subject' && google?.subject === value;
      if (kind !== 'principalSet') return false;
      if (rest === '*') return true;
      if (what === 'group') return google?.groups?.includes(value) === true;
      return what.startsWith('attribute.') && mappedTo?.[what.slice('attribute.'.length)] === value;
    });
}
