// Which headers pass the guard, in both directions. Pure: it reads lists of headers and makes lists of headers.

import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';

/** Node drops headers beyond 2000 in silence; far below that, every header was seen. */
export const MAX_HEADERS = 200;

/** Values by name in lower case, in order. A Map, so that no header name reaches an object's prototype. */
export type Headers = ReadonlyMap<string, readonly string[]>;

/** How the body is delimited, by the words of the strict parser that will deliver it. */
export type BodyFraming = { readonly kind: 'none' | 'chunked' } | { readonly kind: 'length'; readonly length: string };

/**
 * The name as CGI-like upstreams come to see it: they turn `-`, and some of them any other sign, into `_`, so `X_Jobpass.Role`
 * and `X-Jobpass-Role` are one header there. Every rule here compares names in this form.
 */
const plainName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

/** RFC 9110 §7.6.1 and RFC 9112 §9.3's predecessors. They speak of one connection, and this is the end of it. */
const HOP_BY_HOP = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);
/** What the guard itself says, or what only a proxy may say. `proxy`: CGI makes HTTP_PROXY of it. */
const NEVER_FROM_CALLER = new Set([
  'authorization',
  'content-length',
  'forwarded',
  'host',
  'proxy',
  'trailer',
  'via',
  'x-real-ip',
]);
const NEVER_FROM_CALLER_PREFIX = /^x-(?:jobpass|forwarded)-/;
/** Frameworks let these replace the method or the path after the decision was made (such as CVE-2018-14773). */
const OVERRIDES = [
  // `_method`, too: plainName makes a `-` of the underscore.
  /^(?:x|http|x-http)?-?method(?:-override)?$/,
  /^x-(?:envoy-|waws-)?(?:original|unencoded)-(?:url|uri|path|method)$/,
  /^x-rewrite-url$|^x-http-path-override$/,
  // CGI's own words for the path: some servers take them from headers.
  /^script-name$|^path-info$/,
];
/** What a header of the request makes the upstream read, write or open besides the path that was decided on. */
const SECOND_RESOURCES = [
  // COPY and MOVE (RFC 4918 §10.3), and Swift's forms of them.
  /^destination(?:-account)?$|^x-copy-from(?:-account)?$/,
  // Copies on the server's side at S3, GCS, Azure and those that follow them: source, range and conditions.
  /^x-[a-z0-9]+-(?:copy|rename)-source(?:-|$)/,
  // Swift's objects that stand for others.
  /^x-object-manifest$|^x-symlink-target(?:-|$)/,
  // A front end's map of paths to files; Rack believes them of whoever sends them.
  /^x-sendfile(?:-|$)|^x-accel-/,
];
/** Two of these could be read as either. */
const SINGLE = ['authorization', 'host', 'content-length', 'transfer-encoding', 'expect'];

/** Values by lower-case name from Node's flat list of names and values. */
export function readHeaders(rawHeaders: readonly string[]): Headers {
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}

/** The one value of a header, or undefined when it is absent or stands several times. */
export function singleHeader(headers: Headers, name: string): string | undefined {
  const values = headers.get(name);
  return values?.length === 1 ? values[0] : undefined;
}

/**
 * Why a request may not be judged by its method and path alone, or undefined. `path_refused`: a header that replaces one of
 * them or names a second resource. `request_malformed`: as `refuseMessage`.
 */
export function refuseHeaders(headers: Headers): Failure | undefined {
  for (const name of headers.keys()) {
    const plain = plainName(name);
    if (OVERRIDES.some((pattern) => pattern.test(plain))) {
      return failure('path_refused', `header ${JSON.stringify(name)} could replace the method or the path`);
    }
    if (SECOND_RESOURCES.some((pattern) => pattern.test(plain))) {
      return failure('path_refused', `header ${JSON.stringify(name)} could name a second resource`);
    }
  }
  return refuseMessage(headers);
}

/**
 * Why a message cannot be read in one way only, or undefined, whatever protocol is spoken on top of HTTP. `request_malformed`:
 * too many headers, a repeated single one, an upgrade, an unknown expectation.
 */
export function refuseMessage(headers: Headers): Failure | undefined {
  let count = 0;
  for (const values of headers.values()) count += values.length;
  if (count > MAX_HEADERS) return failure('request_malformed', `more than ${MAX_HEADERS} headers`);
  const repeated = SINGLE.find((name) => (headers.get(name)?.length ?? 0) > 1);
  if (repeated !== undefined) return failure('request_malformed', `header ${repeated} stands several times`);
  if (headers.has('upgrade')) return failure('request_malformed', 'no protocol but HTTP/1.1 is spoken here');
  const expectation = singleHeader(headers, 'expect');
  return expectation === undefined || expectation.toLowerCase() === '100-continue'
    ? undefined
    : failure('request_malformed', 'unknown expectation');
}

/**
 * How the body is delimited. Refused with `request_malformed`: a transfer coding other than `chunked`, or one beside a length
 * (RFC 9112 §6.3). Precondition: the headers passed `refuseHeaders`.
 */
export function framingOf(headers: Headers): Result<BodyFraming, Failure> {
  const coding = singleHeader(headers, 'transfer-encoding');
  const length = singleHeader(headers, 'content-length');
  if (coding !== undefined) {
    if (length !== undefined) return malformed('both a transfer coding and a length');
    return coding.toLowerCase() === 'chunked' ? ok({ kind: 'chunked' }) : malformed('a transfer coding but chunked');
  }
  if (length === undefined) return ok({ kind: 'none' });
  return /^[0-9]{1,15}$/.test(length) ? ok({ kind: 'length', length }) : malformed('the length is not a number');
}

const malformed = (detail: string) => err(failure('request_malformed', detail));

/** What the guard strips from one place must not pass in another. */
export function carriesCredential(url: string, headers: Headers): boolean {
  const credential = headers.get('authorization')?.[0]?.split(' ').at(-1) ?? '';
  if (credential.length < 16) return false;
  if (url.includes(credential)) return true;
  return [...headers].some(
    ([name, values]) => name !== 'authorization' && values.some((value) => value.includes(credential)),
  );
}

/**
 * What the upstream gets: the caller's end-to-end headers without its credential, without proxy words and without any
 * `X-Jobpass-*` of its own, then the guard's host, framing and identity headers.
 */
export function upstreamHeaders(
  headers: Headers,
  own: { readonly host: string; readonly framing: BodyFraming; readonly session: CarriedSession },
): Map<string, readonly string[]> {
  const nominated = nominatedNames(headers);
  const passed = new Map<string, readonly string[]>();
  for (const [name, values] of headers) {
    const plain = plainName(name);
    const dropped = HOP_BY_HOP.has(plain) || NEVER_FROM_CALLER.has(plain) || NEVER_FROM_CALLER_PREFIX.test(plain);
    if (!dropped && !nominated.has(plain)) passed.set(name, values);
  }
  passed.set('host', [own.host]);
  // Explicit framing: Node would send a GET's body without any, and the upstream would take it for the next request.
  if (own.framing.kind === 'chunked') passed.set('transfer-encoding', ['chunked']);
  if (own.framing.kind === 'length') passed.set('content-length', [own.framing.length]);
  for (const [name, value] of Object.entries(identityHeaders(own.session))) passed.set(name, [value]);
  return passed;
}

/** What the caller gets of the upstream's headers: all but those of the upstream's own connection. */
export function callerHeaders(headers: Headers): Map<string, readonly string[]> {
  const nominated = nominatedNames(headers);
  const passed = new Map<string, readonly string[]>();
  for (const [name, values] of headers) {
    const plain = plainName(name);
    if (!HOP_BY_HOP.has(plain) && !nominated.has(plain) && !plain.startsWith('x-jobpass-')) passed.set(name, values);
  }
  // RFC 9112 §6.3: beside a transfer coding a length says nothing.
  if (headers.has('transfer-encoding')) passed.delete('content-length');
  return passed;
}

/** RFC 9110 §7.6.1: a `Connection` header names further headers that end here. */
function nominatedNames(headers: Headers): ReadonlySet<string> {
  const listed = (headers.get('connection') ?? []).flatMap((value) => value.split(','));
  return new Set(listed.map((name) => plainName(name.trim())).filter((name) => name !== ''));
}

/** Who the caller is, for the guarded resource. The upstream may believe them because nobody else can set them. */
export function identityHeaders(session: CarriedSession): Record<string, string> {
  return {
    'x-jobpass-session': headerValue(session.sessionId),
    'x-jobpass-role': headerValue(session.role),
    'x-jobpass-subject': headerValue(session.subject),
  };
}

/**
 * `text` itself when it is printable ASCII without outer spaces, else its RFC 8187 form (`utf-8''caf%C3%A9`). A text that
 * looks like that form is encoded too, so no two texts share a value.
 */
function headerValue(text: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("utf-8''")) return text;
  return `utf-8''${encodeURIComponent(text.toWellFormed()).replace(/['()*]/g, hexEscape)}`;
}

const hexEscape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
