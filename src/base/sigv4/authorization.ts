// The header form: `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, read strictly.
import { ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import { ALGORITHM } from './canonical-request.ts';
import type { PresentedSignature } from './presented.ts';
import { refused, type SigV4Failure } from './problem.ts';
import type { SignableRequest } from './request.ts';

const COMPONENTS = ['Credential', 'SignedHeaders', 'Signature'] as const;
type Component = (typeof COMPONENTS)[number];

const isComponent = (name: string): name is Component => COMPONENTS.some((known) => known === name);

/**
 * What the header form presents. `value` is the request's one Authorization header. Fails with `scheme_unknown`,
 * `unsupported_version`, `unsupported_algorithm`, `component_malformed`, `component_missing`, `duplicated`, `date_missing`.
 */
export function readHeaderForm(
  value: string,
  headers: SignableRequest['headers'],
): Result<PresentedSignature, SigV4Failure> {
  const components = readComponents(value);
  if (!components.ok) return components;
  const { Credential, SignedHeaders, Signature } = components.value;
  const amzDate = headers.get('x-amz-date')?.[0] ?? '';
  if (amzDate === '') return refused('date_missing', 'the request has no X-Amz-Date header', 'X-Amz-Date');
  return ok({
    form: 'header',
    credential: Credential,
    signedHeaders: SignedHeaders,
    signature: Signature,
    amzDate,
    expires: null,
    securityToken: headers.get('x-amz-security-token')?.[0] ?? null,
    payloadHash: null,
  });
}

function readComponents(value: string): Result<Record<Component, string>, SigV4Failure> {
  const space = value.indexOf(' ');
  const scheme = space < 0 ? value : value.slice(0, space);
  if (scheme !== ALGORITHM) return schemeRefused(scheme);
  const found = new Map<Component, string>();
  // Three components, and one more to show that there are too many.
  for (const piece of space < 0 ? [] : value.slice(space + 1).split(',', COMPONENTS.length + 1)) {
    const text = piece.replace(/^ +/, '');
    const at = text.indexOf('=');
    const name = text.slice(0, Math.max(at, 0));
    if (!isComponent(name)) {
      return refused('component_malformed', `${quote(text)} is no component of an Authorization header`, text);
    }
    if (found.has(name)) return refused('duplicated', `${name} is there twice`, name);
    found.set(name, text.slice(at + 1));
  }
  const { Credential = '', SignedHeaders = '', Signature = '' } = Object.fromEntries(found);
  const complete = { Credential, SignedHeaders, Signature };
  const missing = COMPONENTS.filter((name) => complete[name] === '').join(', ');
  if (missing !== '') return refused('component_missing', `the Authorization header lacks ${missing}`, missing);
  return ok(complete);
}

function schemeRefused(scheme: string): Result<never, SigV4Failure> {
  if (scheme === 'AWS') return refused('unsupported_version', 'the request is signed by Signature Version 2', scheme);
  if (scheme.startsWith('AWS4-')) {
    return refused('unsupported_algorithm', `the algorithm is ${quote(scheme)}, not ${ALGORITHM}`, scheme);
  }
  // Not repeated: what is of no scheme of ours may be a credential of another.
  return refused('scheme_unknown', 'the Authorization header is of no AWS scheme');
}
