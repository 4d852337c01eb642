// The bounds of AWS STS's parameters, and how AWS says that a value is outside them. SDKs send whatever they are given.
import type { AwsRefusal } from './fault.ts';
import { openRefusal } from './fault.ts';

/** A text parameter and its bounds in UTF-16 units, as AWS counts them. */
export interface TextShape {
  /** As the message calls it: `roleArn`. */
  readonly member: string;
  readonly minChars: number;
  readonly maxChars: number;
  readonly pattern?: { readonly matches: RegExp; readonly shown: string };
}

/**
 * What is wrong with a value; undefined: it was not sent. Values are never quoted, unlike AWS's own messages: people put
 * tokens into the wrong parameter.
 */
export function textProblems(value: string | undefined, shape: TextShape): readonly string[] {
  const { maxChars, member, minChars, pattern } = shape;
  if (value === undefined) return [`Value null at '${member}' failed to satisfy constraint: Member must not be null`];
  const problems: string[] = [];
  if (pattern !== undefined && !pattern.matches.test(value)) {
    problems.push(unsatisfied(member, `satisfy regular expression pattern: ${pattern.shown}`));
  }
  if (value.length < minChars) problems.push(unsatisfied(member, `have length greater than or equal to ${minChars}`));
  if (value.length > maxChars) problems.push(unsatisfied(member, `have length less than or equal to ${maxChars}`));
  return problems;
}

/** `constraint` completes "Member must …". */
export const unsatisfied = (member: string, constraint: string): string =>
  `Value at '${member}' failed to satisfy constraint: Member must ${constraint}`;

/** All problems of one request in one ValidationError. Precondition: there is at least one. */
export function validationError(problems: readonly string[]): AwsRefusal {
  const count = problems.length === 1 ? '1 validation error' : `${problems.length} validation errors`;
  return openRefusal('request_malformed', 'ValidationError', `${count} detected: ${problems.join('; ')}`);
}

/** A bound on numbers, both ends allowed. */
export interface NumberShape {
  readonly member: string;
  readonly min: number;
  readonly max: number;
}

/** What is wrong with a number. */
export function numberProblems(value: number, { max, member, min }: NumberShape): readonly string[] {
  if (value < min) return [unsatisfied(member, `have value greater than or equal to ${min}`)];
  return value > max ? [unsatisfied(member, `have value less than or equal to ${max}`)] : [];
}
