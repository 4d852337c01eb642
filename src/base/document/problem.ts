// What is wrong in a document, where, and how it is shown. Finding problems is read.ts's business.
import { printable } from '../core/printable.ts';

/** One mistake in one file. Texts are safe to print: control characters escaped, long values cut, secrets left out. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** Such as `sts.trusted_issuers[0].audience`; empty for the document as a whole. */
  readonly path: string;
  /** `unknown key`, or what was wanted: `wanted host:port`. */
  readonly message: string;
  /** What stands there instead, when it can be shown: `127.0.0.1:99999`, `missing`. */
  readonly found?: string;
  /** A next step: the nearest known key, or how to write the value. */
  readonly hint?: string;
}

/** A place in a document: names of members and indexes of entries, from the root. */
export type DocumentPath = readonly (string | number)[];

/** Wider cells are not padded to, so that one long value does not push every row off the screen. */
const MAX_PADDED_CHARS = 48;
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** A path as people write it: `a.b[0]`, and `a["x.y"]` where a name would be ambiguous. */
export function formatPath(path: DocumentPath): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (PLAIN_NAME.test(segment)) text += text === '' ? printable(segment) : `.${printable(segment)}`;
    else text += `["${printable(segment)}"]`;
  }
  return text;
}

/**
 * The problems as a table below one heading line (`2 problems in jobpass.yaml`), columns aligned, no trailing newline.
 * Precondition: the files' names hold no control characters.
 */
export function formatProblems(problems: readonly Problem[]): string {
  const rows = problems.map(cellsOf);
  // What stands last in its row pushes nothing away.
  const widthOf = (column: number): number =>
    rows
      .filter((row) => row.slice(column + 1).some((cell) => cell !== ''))
      .map((row) => (row[column] ?? '').length)
      .reduce((widest, length) => (length <= MAX_PADDED_CHARS ? Math.max(widest, length) : widest), 0);
  const widths = [0, 1, 2, 3].map(widthOf);
  const lines = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd(),
  );
  return [headingOf(problems), ...lines].join('\n');
}

function headingOf(problems: readonly Problem[]): string {
  const files = new Set(problems.map((problem) => problem.file));
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `${count} in ${files.size === 1 ? [...files].join('') : `${files.size} files`}`;
}

function cellsOf(problem: Problem): readonly string[] {
  const hint = problem.hint === undefined ? '' : `hint: ${problem.hint}`;
  return [
    `${problem.file}:${problem.line}:${problem.column}`,
    problem.path === '' ? '(document)' : problem.path,
    ...(problem.found === undefined ? [problem.message, hint] : [problem.found, problem.message, hint]),
  ];
}
