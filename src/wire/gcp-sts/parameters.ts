// The parameters of a call of Google's STS, as a form or as JSON, in snake or camel case. It knows no call.
import { isJsonObject } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import { byName, FORM_TYPE, isOfType } from '../form.ts';
import { decodePairs, type Parameter } from '../urlencoded.ts';

/** The parts of a request that say what is asked for. */
export interface GcpRequest {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Parameters by their names in snake case. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * The parameters of a body. Google's API reads `subject_token` and `subjectToken` alike, so both of them together stand twice;
 * two readers could pick different ones. An empty parameter counts as omitted (RFC 6749 §3.1), as does a JSON null. Client
 * authentication with the scheme Basic is ignored: gcloud sends its own client with every call, and the token speaks for itself.
 * Error: request_malformed; its detail may be told to the caller, for it holds no value. Precondition: the body is bounded.
 */
export function readParameters({ body, headers, query }: GcpRequest): Result<Parameters, Failure> {
  // Another scheme would be a token in the wrong place, and the caller would take it for checked.
  const [scheme = ''] = (headers.authorization ?? 'basic').split(' ', 1);
  if (scheme.toLowerCase() !== 'basic') return malformed('the only client authentication taken here is Basic');
  if (query !== '') return malformed('parameters belong into the body');
  const pairs = isOfType(headers, 'application/json') ? readJson(body) : readForm(headers, body);
  return pairs.ok ? onlyOnce(pairs.value) : pairs;
}

function readForm(headers: GcpRequest['headers'], body: Uint8Array): Result<readonly Parameter[], Failure> {
  if (isOfType(headers, FORM_TYPE)) return decodePairs(body);
  return malformed(`the body is neither ${FORM_TYPE} nor application/json`);
}

function readJson(body: Uint8Array): Result<readonly Parameter[], Failure> {
  const json = parseJsonObject(body);
  if (!json.ok) return malformed(`the body is no JSON object: ${json.error.problem} at byte ${json.error.offset}`);
  const pairs: Parameter[] = [];
  for (const [name, value] of Object.entries(json.value)) {
    if (typeof value === 'string') pairs.push({ name, value });
    // `options` is text that holds JSON; whoever writes it as an object means the same.
    else if (name === 'options' && isJsonObject(value)) pairs.push({ name, value: JSON.stringify(value) });
    else if (value !== null) return malformed(`${shown(name)} is not text`);
  }
  return ok(pairs);
}

function onlyOnce(pairs: readonly Parameter[]): Result<Parameters, Failure> {
  const parameters = byName(pairs.map(({ name, value }) => ({ name: snakeCase(name), value })));
  if (!parameters.ok) return malformed(`${shown(parameters.error)} stands twice`);
  return ok(new Map([...parameters.value].filter(([, value]) => value !== '')));
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A name may be shown to whoever sent it only when it is a plain word: it could be a value in the wrong place. */
const shown = (name: string): string => (/^[A-Za-z_]{1,40}$/.test(name) ? name : 'a parameter');

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
