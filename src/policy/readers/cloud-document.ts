// Looks at the objects of a cloud's document, member by member: each known by name, everything else a problem. Each
// cloud's own rules are in its reader.
import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../../base/core/json.ts';
import { nearestName } from '../../base/document/nearest-name.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';

/** How a reader of one cloud's document is called, alone or for one trust entry of a role. */
export interface CloudReading {
  /** Takes every problem, under its path from the root of the file. */
  readonly report: Report;
  /** Where the document begins in the file. */
  readonly at: DocumentPath;
  /** The line of the value at `path`, from 1. */
  lineOf(path: DocumentPath): number;
  /** The issuers that the tenant may trust. Absent: no ceiling, where nothing is granted. */
  readonly allowedIssuers?: readonly string[] | undefined;
  /** AWS alone: the policy is for an STS that speaks like AWS's and has no AWS accounts. */
  readonly anyAccount?: boolean | undefined;
}

/** The same reading, further down. */
export const below = (reading: CloudReading, ...path: DocumentPath): CloudReading => ({
  report: reading.report,
  at: [...reading.at, ...path],
  lineOf: (deeper) => reading.lineOf(deeper),
  allowedIssuers: reading.allowedIssuers,
});

/** The line on which the document of `reading` begins. */
export const lineHere = (reading: CloudReading): number => reading.lineOf(reading.at);

/** The same reading, which also knows whether anything was reported through it. */
export function counting(reading: CloudReading): { readonly reading: CloudReading; any(): boolean } {
  let count = 0;
  const report: Report = (path, message, hint) => {
    count += 1;
    reading.report(path, message, hint);
  };
  const { at, allowedIssuers } = reading;
  const counted: CloudReading = { report, at, lineOf: (path) => reading.lineOf(path), allowedIssuers };
  return { reading: counted, any: () => count > 0 };
}

/** The value when it is an object that has no member but the `known`; undefined otherwise, with a problem for each mistake. */
export function closedObject(
  value: JsonValue | undefined,
  known: readonly string[],
  reading: CloudReading,
): JsonObject | undefined {
  if (!isJsonObject(value)) {
    reading.report(reading.at, 'wanted a mapping');
    return undefined;
  }
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  for (const name of unknown) {
    reading.report([...reading.at, name], 'unknown key', nearestName(name, known) ?? `known here: ${known.join(', ')}`);
  }
  return unknown.length === 0 ? value : undefined;
}

/** The member, own ones only. Null, which the tools print for what is not set, is as good as absent. */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  const member = isJsonObject(value) ? ownMember(value, name) : undefined;
  return member === null ? undefined : member;
}

export interface TextRules {
  readonly required?: boolean;
  readonly maxChars?: number;
  /** What the cloud says against the text; undefined when nothing. It meets no text that is empty or too long. */
  problem?(text: string): string | undefined;
}

/** The text under `name`; undefined when it is absent or not as the rules want it, which is reported. */
export function textUnder(
  value: JsonValue | undefined,
  name: string,
  reading: CloudReading,
  rules: TextRules = {},
): string | undefined {
  const member = memberOf(value, name);
  if (member === undefined && rules.required !== true) return undefined;
  const problem = textProblem(member, rules);
  if (problem === undefined && typeof member === 'string') return member;
  reading.report([...reading.at, name], problem ?? 'wanted text');
  return undefined;
}

/** What is wrong with a text; undefined when nothing is. */
export function textProblem(value: JsonValue | undefined, rules: TextRules): string | undefined {
  if (typeof value !== 'string') return 'wanted text';
  if (value === '') return 'wanted text that is not empty';
  if (!value.isWellFormed()) return 'wanted whole characters';
  if (rules.maxChars !== undefined && value.length > rules.maxChars) {
    return `wanted at most ${rules.maxChars} characters, as the cloud does`;
  }
  return rules.problem?.(value);
}
