// Zod's issues in our own plain words. What zod itself would say never reaches a person.
import type * as z from 'zod';
import { printable } from '../core/printable.ts';
import type { DocumentPath } from './problem.ts';
import { kindInWords } from './schema-shape.ts';

/** One mistake against the schema, at the place where it is. */
export interface SchemaIssue {
  readonly path: DocumentPath;
  readonly message: string;
  /** `unknown` and `key` are about the name that ends the path, the others about the value there. */
  readonly about: 'unknown' | 'key' | 'kind' | 'fixed_value' | 'value';
  /** The kinds (zod's words) that would have been accepted, when the kind was wrong. */
  readonly expected: readonly string[];
  readonly hint?: string;
}

// What an issue says when the schema's author gave it no text of its own; unions that say it are resolved to a branch.
const NO_TEXT = 'wanted another value';

/** The error map for `safeParse`: a text the schema's author gave goes before it. */
export const describeIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return `wanted ${kindInWords(issue.expected)}`;
    case 'invalid_value':
      return `wanted ${oneOf(issue.values)}`;
    case 'too_small':
      return bound(
        issue.origin,
        issue.minimum,
        issue.exact ? 'exactly' : issue.inclusive === false ? 'more than' : 'at least',
      );
    case 'too_big':
      return bound(
        issue.origin,
        issue.maximum,
        issue.exact ? 'exactly' : issue.inclusive === false ? 'less than' : 'at most',
      );
    case 'invalid_format':
      return formatInWords(issue);
    case 'not_multiple_of':
      return `wanted a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return 'unknown key';
    case 'invalid_union':
      return issue.inclusive !== false && issue.options ? `wanted ${oneOf(issue.options)}` : NO_TEXT;
    case 'invalid_key':
    case 'invalid_element':
      return 'wanted another name';
    default:
      return NO_TEXT;
  }
};

const oneOf = (values: readonly unknown[]): string => values.map(String).join(' or ');

function bound(origin: string, amount: number | bigint, relation: string): string {
  const count = Number(amount);
  if (origin === 'string' && relation === 'at least' && count === 1) return 'wanted text that is not empty';
  if (origin === 'string') return `wanted ${relation} ${count} ${count === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `wanted ${relation} ${count} ${count === 1 ? 'entry' : 'entries'}`;
  if (origin === 'object' || origin === 'record')
    return `wanted ${relation} ${count} ${count === 1 ? 'member' : 'members'}`;
  return `wanted a number of ${relation} ${count}`;
}

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  email: 'an e-mail address',
  uuid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  datetime: 'a date and time such as 2026-11-23T03:14:07Z',
  date: 'a date such as 2026-11-23',
  base64: 'base64',
  base64url: 'base64url',
  safeint: 'a whole number',
};

function formatInWords(issue: { readonly format: string; readonly [name: string]: unknown }): string {
  if (issue.format === 'starts_with') return `wanted text that begins with ${printable(String(issue.prefix))}`;
  if (issue.format === 'ends_with') return `wanted text that ends with ${printable(String(issue.suffix))}`;
  if (issue.format === 'includes') return `wanted text with ${printable(String(issue.includes))} in it`;
  return `wanted ${FORMATS[issue.format] ?? 'text of another form'}`;
}

/** The issues of a failed parse, unions resolved to their best branch, one entry for each unknown key. */
export function flattenIssues(issues: readonly z.core.$ZodIssue[], prefix: DocumentPath = []): readonly SchemaIssue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment))];
    const plain = { path, message: issue.message, about: 'value', expected: [] } as const;
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => ({ ...plain, path: [...path, key], about: 'unknown' as const }));
      case 'invalid_type':
        return [{ ...plain, about: 'kind', expected: [issue.expected] }];
      case 'invalid_value':
        return [{ ...plain, about: 'fixed_value' }];
      case 'invalid_union':
        return issue.message === NO_TEXT && issue.errors.length > 0 ? bestBranch(issue.errors, path) : [plain];
      case 'invalid_key':
        return [{ ...plain, about: 'key', message: issue.issues[0]?.message ?? issue.message }];
      case 'custom':
        return [{ ...plain, ...hintOf(issue.params) }];
      default:
        return [plain];
    }
  });
}

/** A refinement gives its hint as `params: { hint }`. */
function hintOf(params: unknown): { hint?: string } {
  const hint = typeof params === 'object' && params !== null && 'hint' in params ? params.hint : undefined;
  return typeof hint === 'string' ? { hint } : {};
}

/**
 * The branch that the author most likely meant: one whose kind was right, then one whose fixed values (a `kind: feed`) and
 * names were right, then the one with the fewest mistakes. When no branch has the right kind, one issue names all kinds.
 */
function bestBranch(branches: readonly (readonly z.core.$ZodIssue[])[], path: DocumentPath): readonly SchemaIssue[] {
  const flat = branches.map((branch) => flattenIssues(branch, path));
  const isHere = (issue: SchemaIssue): boolean => issue.path.length === path.length;
  const isMisfit = (issue: SchemaIssue): boolean => issue.about === 'kind' || issue.about === 'fixed_value';
  const fitting = flat.filter((issues) => !issues.some((issue) => isHere(issue) && isMisfit(issue)));
  if (fitting.length === 0) return [mergeKinds(flat.flat().filter(isHere), path)];
  const cost = (issues: readonly SchemaIssue[]): number =>
    issues.length + 1000 * issues.filter((issue) => issue.about === 'unknown' || issue.about === 'fixed_value').length;
  return fitting.reduce((best, issues) => (cost(issues) < cost(best) ? issues : best));
}

function mergeKinds(issues: readonly SchemaIssue[], path: DocumentPath): SchemaIssue {
  const wanted = new Set(issues.map((issue) => issue.message.replace(/^wanted /, '')));
  return {
    path,
    message: `wanted ${[...wanted].join(' or ')}`,
    about: 'kind',
    expected: issues.flatMap((issue) => issue.expected),
  };
}
