// A second evaluator of AWS trust policies, written from the documentation alone and as plainly as possible: regular
// expressions, floating point, no compiled form, no trace. Slow and for tests; it shares no code with the real one.
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { JsonValue } from '../../src/base/core/json.ts';

interface NaiveStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: Readonly<Record<string, string | readonly string[]>>;
  readonly Action: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
}
export interface NaiveDocument {
  readonly Version?: string;
  readonly Statement: readonly NaiveStatement[];
}
export interface NaiveToken {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, JsonValue>>;
  readonly now: number;
  readonly sourceAddress?: string;
  readonly sessionName?: string;
}

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Whether the token is let in. */
export function naiveAws(document: NaiveDocument, token: NaiveToken): boolean {
  const tags = naiveTags(token.claims);
  if (tags === 'malformed') return false;
  const identity = token.claims['https://aws.amazon.com/source_identity'];
  if (identity !== undefined && !(typeof identity === 'string' && /^[\w+=,.@-]{2,64}$/.test(identity))) return false;
  const needed = ['assumerolewithwebidentity'];
  if (Object.keys(tags).length > 0) needed.push('tagsession');
  if (identity !== undefined) needed.push('setsourceidentity');
  const applies = (one: NaiveStatement, action: string): boolean =>
    statementApplies(document, one, { token, tags, action });
  return needed.every(
    (action) =>
      document.Statement.some((one) => one.Effect === 'Allow' && applies(one, action)) &&
      // One denied action refuses the request.
      needed.every((each) => !document.Statement.some((one) => one.Effect === 'Deny' && applies(one, each))),
  );
}

function naiveTags(claims: NaiveToken['claims']): Record<string, string> | 'malformed' {
  const claim = claims['https://aws.amazon.com/tags'] as { principal_tags?: Record<string, JsonValue> } | undefined;
  const tags: Record<string, string> = {};
  for (const [key, value] of Object.entries(claim?.principal_tags ?? {})) {
    if (!Array.isArray(value) || value.length !== 1 || typeof value[0] !== 'string') return 'malformed';
    tags[key] = value[0];
  }
  return tags;
}

interface Asked {
  readonly token: NaiveToken;
  readonly tags: Readonly<Record<string, string>>;
  readonly action: string;
}

function statementApplies(document: NaiveDocument, one: NaiveStatement, asked: Asked): boolean {
  const federated = listOf(one.Principal.Federated ?? []);
  const arn = federated.find((name) => `https://${name.split(':oidc-provider/')[1]}` === asked.token.issuer);
  const everyone = one.Effect === 'Deny' && listOf(one.Principal.AWS ?? []).includes('*');
  if (arn === undefined && !everyone) return false;
  if (!listOf(one.Action).some((action) => likePattern(action.toLowerCase()).test(`sts:${asked.action}`))) return false;
  const clauses = Object.entries(one.Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, wanted]) => ({ operator, key, wanted: listOf(wanted).map(String) })),
  );
  const request = requestValues(asked, arn);
  const variables = document.Version === '2012-10-17';
  // A comparison that cannot be made is tried both ways: an Allow must hold either way, a Deny holds when one way holds.
  const both = clauses.map((clause) =>
    [true, false].map((guess) => clauseHolds(clause, request, { guess, variables })),
  );
  return one.Effect === 'Allow'
    ? both.every((answers) => answers.every((held) => held))
    : both.every((answers) => answers.some((held) => held));
}

/** Absent: missing. `unknown`: AWS has it and we do not. */
type Values = ReadonlyMap<string, readonly JsonValue[] | 'unknown'>;

function requestValues({ token, tags }: Asked, arn: string | undefined): Values {
  const values = new Map<string, readonly JsonValue[] | 'unknown'>();
  const host = token.issuer.slice('https://'.length);
  for (const [name, value] of Object.entries(token.claims)) {
    if (name.startsWith('https://aws.amazon.com/') || name === 'oaud') continue;
    const key = `${host}:${name.toLowerCase()}`;
    const spellings = Object.keys(token.claims).filter((other) => other.toLowerCase() === name.toLowerCase());
    values.set(key, spellings.length > 1 ? 'unknown' : value === null ? [] : listOf(value));
  }
  if (token.claims.azp !== undefined) {
    const azp = token.claims.azp;
    values.set(`${host}:oaud`, token.claims.aud == null ? [] : listOf(token.claims.aud));
    values.set(`${host}:aud`, azp === null ? [] : listOf(azp));
  }
  for (const [key, value] of Object.entries(tags)) {
    values.set(`aws:requesttag/${key.toLowerCase()}`, [value]);
    values.set(`aws:principaltag/${key.toLowerCase()}`, [value]);
  }
  values.set('aws:tagkeys', Object.keys(tags));
  const identity = token.claims['https://aws.amazon.com/source_identity'];
  if (identity !== undefined) values.set('sts:sourceidentity', [identity]);
  values.set('aws:currenttime', [new Date(token.now * 1000).toISOString()]);
  values.set('aws:epochtime', [token.now]);
  values.set('aws:sourceip', token.sourceAddress === undefined ? 'unknown' : [token.sourceAddress]);
  values.set('sts:rolesessionname', token.sessionName === undefined ? 'unknown' : [token.sessionName]);
  values.set('aws:federatedprovider', arn === undefined ? 'unknown' : [arn]);
  values.set('aws:requestedregion', 'unknown');
  return values;
}

interface Clause {
  readonly operator: string;
  readonly key: string;
  readonly wanted: readonly string[];
}
interface Mode {
  readonly guess: boolean;
  readonly variables: boolean;
}

function clauseHolds({ operator, key, wanted }: Clause, request: Values, mode: Mode): boolean {
  const values = request.get(key.toLowerCase()) ?? [];
  if (values === 'unknown') return mode.guess;
  const [prefix, rest] = operator.includes(':') ? operator.split(':') : ['', operator];
  const name = (rest ?? '').replace(/IfExists$/, '');
  if (name === 'Null') return wanted.some((text) => (text === 'true') === (values.length === 0));
  const isNegated = name.includes('Not');
  if (values.length === 0) {
    if (operator.endsWith('IfExists') || prefix === 'ForAllValues') return true;
    return prefix === '' && isNegated;
  }
  const base = name.replace('Not', '');
  // Tried both ways, so it does not matter that a negated operator turns the guess around.
  const matches = (value: JsonValue): boolean =>
    wanted.some((text) => compare(base, { value, text, request, variables: mode.variables }) ?? mode.guess);
  const holds = (value: JsonValue): boolean => matches(value) !== isNegated;
  if (prefix === 'ForAnyValue') return values.some(holds);
  if (prefix === 'ForAllValues') return values.every(holds);
  return isNegated ? values.every(holds) : values.some(holds);
}

interface Comparison {
  readonly value: JsonValue;
  readonly text: string;
  readonly request: Values;
  readonly variables: boolean;
}

const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  Equals: (a, b) => a === b,
  LessThan: (a, b) => a < b,
  LessThanEquals: (a, b) => a <= b,
  GreaterThan: (a, b) => a > b,
  GreaterThanEquals: (a, b) => a >= b,
};

/** Undefined: cannot be compared. */
function compare(base: string, { value, text, request, variables }: Comparison): boolean | undefined {
  const order = ORDERS[base.replace(/^(Numeric|Date)/, '')];
  if (base.startsWith('Numeric')) return ordered(order, numberOf(value), numberOf(text));
  if (base.startsWith('Date')) return ordered(order, dateOf(value), dateOf(text));
  if (base === 'Bool')
    return value === true || value === false || value === 'true' || value === 'false'
      ? String(value) === text
      : undefined;
  if (typeof value !== 'string') return undefined;
  if (base === 'BinaryEquals')
    return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value) ? value === text : undefined;
  if (base === 'IpAddress') return inRange(value, text);
  const pattern = filledIn(text, request, {
    variables,
    literal: base === 'StringEquals' || base === 'StringEqualsIgnoreCase',
  });
  if (base.startsWith('Arn')) return arnMatches(value, text, request, variables);
  if (pattern === undefined) return undefined;
  return new RegExp(`^${pattern}$`, base.endsWith('IgnoreCase') ? 'isu' : 'su').test(value);
}

const ordered = (order: ((a: number, b: number) => boolean) | undefined, a: number, b: number): boolean | undefined =>
  order === undefined || Number.isNaN(a) || Number.isNaN(b) ? undefined : order(a, b);

const numberOf = (value: JsonValue): number =>
  typeof value === 'number' || (typeof value === 'string' && /^[+-]?\d+(\.\d+)?$/.test(value))
    ? Number(value)
    : Number.NaN;
const dateOf = (value: JsonValue): number => {
  if (typeof value === 'number') return value * 1000;
  if (typeof value !== 'string') return Number.NaN;
  // Whole seconds of the epoch; four digits alone could be a year, and are neither.
  if (/^-?\d+$/.test(value) && !/^-?\d{4}$/.test(value)) return Number(value) * 1000;
  return /^\d{4}-/.test(value) ? Date.parse(value) : Number.NaN;
};

function inRange(value: string, text: string): boolean | undefined {
  if (!isIPv4(value) && !isIPv6(value)) return undefined;
  const [network, length] = text.split('/');
  const family = isIPv4(network ?? '') ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  if (length === undefined) list.addAddress(network ?? '', family);
  else list.addSubnet(network ?? '', Number(length), family);
  return list.check(value, isIPv4(value) ? 'ipv4' : 'ipv6');
}

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => `\\${character}`);
const likePattern = (text: string): RegExp =>
  new RegExp(`^${quoted(text).replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`, 's');

/** The wanted text as a regular expression; undefined when a variable has no value. */
function filledIn(
  text: string,
  request: Values,
  { variables, literal }: { readonly variables: boolean; readonly literal: boolean },
): string | undefined {
  const like = (part: string): string =>
    literal ? quoted(part) : quoted(part).replaceAll('\\*', '.*').replaceAll('\\?', '.');
  if (!variables) return like(text);
  let isUnknown = false;
  const parts = text.split(/(\$\{[^}]*\})/).map((part) => {
    if (!part.startsWith('${')) return like(part);
    const inner = part.slice(2, -1);
    if (inner.length === 1) return quoted(inner);
    const [key = '', fallback] = inner.split(', ');
    const values = request.get(key.toLowerCase()) ?? [];
    const [only] = values;
    if (values !== 'unknown' && values.length === 0 && fallback !== undefined) return quoted(fallback.slice(1, -1));
    const isUsable =
      values !== 'unknown' &&
      values.length === 1 &&
      ['string', 'number', 'boolean'].includes(typeof only) &&
      only !== '';
    if (!isUsable) isUnknown = true;
    return quoted(String(only));
  });
  return isUnknown ? undefined : parts.join('');
}

/** Part by part; a value's own colons stay in its part. */
function arnMatches(value: string, text: string, request: Values, variables: boolean): boolean | undefined {
  const cut = (whole: string): readonly string[] => {
    const parts = whole.split(/:(?![^{]*\})/);
    return parts.length < 6 ? [] : [...parts.slice(0, 5), parts.slice(5).join(':')];
  };
  const given = value.split(':');
  if (given.length < 6 || given[0] !== 'arn') return undefined;
  const presented = [...given.slice(0, 5), given.slice(5).join(':')];
  const answers = cut(text).map((part, index) => {
    const pattern = filledIn(part, request, { variables, literal: false });
    return pattern === undefined ? undefined : new RegExp(`^${pattern}$`, 'su').test(presented[index] ?? '');
  });
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}
