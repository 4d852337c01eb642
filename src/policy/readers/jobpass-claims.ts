// The claims of a trust entry in Jobpass's own dialect, as clauses. Their form is the schema's business.
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import type { Clause } from '../clause.ts';
import { isWildcardOnly, type Pattern } from '../pattern.ts';
import type { RolePool } from './role-pool.ts';

interface ClaimReading {
  readonly pool: RolePool;
  readonly report: Report;
  readonly lineOf: (path: DocumentPath) => number;
}

/**
 * A clause for each claim, of the wanted values that are patterns; every other is reported, but for those of a form that the
 * schema refuses. `entry` is the index of the trust entry.
 */
export function compileClaims(claims: JsonObject, entry: number, reading: ClaimReading): readonly Clause[] {
  return Object.keys(claims).map((claim) => ({
    // The name of a member, unlike its value, is never a window into the file.
    claim,
    wanted: compileWanted(claim, claims[claim], entry, reading),
    line: reading.lineOf(['trust', entry, 'claims', claim]),
  }));
}

function compileWanted(
  claim: string,
  wanted: JsonValue | undefined,
  entry: number,
  { pool, report }: ClaimReading,
): readonly Pattern[] {
  const compile = (text: JsonValue | undefined, index?: number): readonly Pattern[] => {
    if (typeof text !== 'string') return [];
    const pattern = pool.pattern(text);
    const problem = pattern.ok ? problemOf(claim, pattern.value[0]) : { message: pattern.error };
    if (problem !== undefined) {
      const place = ['trust', entry, 'claims', claim, ...(index === undefined ? [] : [index])];
      report(place, problem.message, problem.hint);
    }
    return pattern.ok ? pattern.value : [];
  };
  return Array.isArray(wanted) ? wanted.flatMap(compile) : compile(wanted);
}

function problemOf(claim: string, pattern: Pattern): { readonly message: string; readonly hint?: string } | undefined {
  if (claim !== 'sub' || !isWildcardOnly(pattern)) return undefined;
  // `sub: "*"` reads like a condition and is none.
  return { message: 'wanted more than wildcards: this names nobody', hint: 'name the owner and the pipeline' };
}
