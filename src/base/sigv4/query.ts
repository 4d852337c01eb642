// The query of a signed request: its parameters, each in its one spelling, and the canonical query made of them.
import { ok, type Result } from '../core/result.ts';
import { recode } from './percent.ts';
import { refused, type SigV4Failure } from './problem.ts';

/** A parameter in canonical percent encoding. */
export interface QueryParameter {
  readonly name: string;
  /** "" for a bare name: `?uploads` and `?uploads=` are one request. */
  readonly value: string;
}

/** The parameter that holds the signature and so is no part of what is signed. */
export const SIGNATURE_PARAMETER = 'X-Amz-Signature';

/**
 * The parameters of a raw query in their order. Whoever acts on a query must read it the same way, "+" as a plus
 * included; else a signature covers another request than the one that is carried out. Fails with `query_malformed`.
 */
export function parseQuery(query: string): Result<readonly QueryParameter[], SigV4Failure> {
  if (query === '') return ok([]);
  const parameters: QueryParameter[] = [];
  for (const piece of query.split('&')) {
    const at = piece.indexOf('=');
    const name = recode(at < 0 ? piece : piece.slice(0, at));
    const value = at < 0 ? '' : recode(piece.slice(at + 1));
    if (name === undefined || value === undefined) {
      return refused('query_malformed', 'the query has a broken or lower-case escape, or a character it may not have');
    }
    if (name === '') return refused('query_malformed', 'the query has a parameter without a name');
    parameters.push({ name, value });
  }
  return ok(parameters);
}

/** Sorted by name, then by value, in byte order (both are ASCII); the signature itself left out. */
export function canonicalQuery(parameters: readonly QueryParameter[]): string {
  return parameters
    .filter(({ name }) => name !== SIGNATURE_PARAMETER)
    .sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
