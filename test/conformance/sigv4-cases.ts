// The published Signature Version 4 cases as requests, and the building blocks that make each of their texts.
import { hash } from 'node:crypto';
import { z } from 'zod';
import { canonicalRequest, stringToSign } from '../../src/base/sigv4/canonical-request.ts';
import type { SignableRequest } from '../../src/base/sigv4/request.ts';
import { sign, signingKey } from '../../src/base/sigv4/signature.ts';
import { readVectors } from './vectors.ts';

const Case = z.object({
  name: z.string(),
  context: z.object({
    credentials: z.object({ access_key_id: z.string(), secret_access_key: z.string(), token: z.string().optional() }),
    expiration_in_seconds: z.number(),
    normalize: z.boolean(),
    omit_session_token: z.boolean().optional(),
    region: z.string(),
    service: z.string(),
    timestamp: z.string(),
  }),
  header_canonical_request: z.string(),
  header_string_to_sign: z.string(),
  header_signature: z.string(),
  header_signed_request: z.string(),
  query_canonical_request: z.string(),
  query_string_to_sign: z.string(),
  query_signature: z.string(),
  query_signed_request: z.string(),
  request: z.string(),
});
export type SigV4Case = z.infer<typeof Case>;

/** The 24 cases. Precondition: called inside `describeVectors`. */
export const sigV4Cases = (): readonly SigV4Case[] => z.array(Case).parse(readVectors('aws-sigv4/cases.json'));

/** A request in text form: the target may hold raw spaces, so it ends at the last one of its line. */
export function readRequestText(text: string): { readonly request: SignableRequest; readonly body: string } {
  const [head = '', ...rest] = text.split('\n\n');
  const [line = '', ...fields] = head.split('\n').filter((one) => one !== '');
  const method = line.slice(0, line.indexOf(' '));
  const target = line.slice(method.length + 1, line.lastIndexOf(' '));
  const mark = target.indexOf('?');
  const headers = new Map<string, readonly string[]>();
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), field.slice(colon + 1)]);
  }
  const path = mark < 0 ? target : target.slice(0, mark);
  return { request: { method, path, query: mark < 0 ? '' : target.slice(mark + 1), headers }, body: rest.join('\n\n') };
}

/** What a case's signed request gives by the product's building blocks, for the headers that it says are signed. */
export function remade(
  one: SigV4Case,
  signed: { readonly request: SignableRequest; readonly signedHeaders: readonly string[]; readonly body: string },
): { readonly canonical: string; readonly text: string; readonly signature: string } {
  const { credentials, normalize, region, service, timestamp } = one.context;
  const canonical = canonicalRequest(signed.request, {
    signedHeaders: signed.signedHeaders,
    payloadHash: hash('sha256', signed.body, 'hex'),
    // "normalize" is the general rule; the cases without it keep the path as S3 does.
    pathEncoding: normalize ? 'double' : 'single',
  });
  if (!canonical.ok) throw new Error(canonical.error.detail);
  const amzDate = timestamp.replace(/[-:]/g, '');
  const scope = { date: amzDate.slice(0, 8), region, service };
  const text = stringToSign(amzDate, scope, canonical.value);
  return {
    canonical: canonical.value,
    text,
    signature: sign(signingKey(credentials.secret_access_key, scope), text),
  };
}
