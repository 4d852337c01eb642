// Reads a file of policy tests, or says everything that is wrong with it. Running the tests is run.ts's business.
import * as z from 'zod';
import type { RoleRef } from '../../base/core/decision.ts';
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { REASONS, type Reason } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { DocumentPath, Problem } from '../../base/document/problem.ts';
import { type ReadDocument, type Report, readDocument } from '../../base/document/read.ts';
import { entriesAt, textAt, valueAt } from '../../base/document/value-at.ts';
import { findEvent } from '../../base/providers/catalogue.ts';
import { type PresentedToken, presentedToken } from './presented-token.ts';

/** One test: a token, a role, and what should come of it. */
export interface PolicyTest {
  readonly file: string;
  /** Where the test begins, from 1. */
  readonly line: number;
  readonly name: string;
  readonly role: RoleRef;
  readonly token: PresentedToken;
  /** When the decision is made. */
  readonly now: EpochSeconds;
  readonly expect: 'allow' | 'deny';
  /** The reason that a refusal must have; null: any. */
  readonly reason: Reason | null;
  /** The subject of a clause that must be what keeps the token out; null: any. */
  readonly failedClause: string | null;
}

/** A file of tests. */
export interface PolicyTestFile {
  readonly tests: readonly PolicyTest[];
  /** The policy that the file names, relative to the file; null: the roles beside it. */
  readonly policy: { readonly path: string; readonly problem: (message: string, hint?: string) => Problem } | null;
}

export interface TestFileOptions {
  /** The tenant whose roles are tested. */
  readonly tenant: string;
  /** When decisions are made, and tokens of events issued, unless a test says `at`. */
  readonly now: EpochSeconds;
  /** The text of a captured token, by its path relative to the test file; the error says why there is none. */
  readonly readToken: (path: string) => Result<string, string>;
}

/** Tests are larger than roles; YAML of this size is still read in well under a second. */
const MAX_TEST_FILE_BYTES = 512 * 1024;

const text = z.string().min(1);
const test = z.strictObject({
  name: text,
  role: text.optional(),
  event: text.optional(),
  with: z.record(z.string(), text).optional(),
  token_file: text.optional(),
  issuer: text.optional(),
  claims: z.record(z.string(), z.json()).optional(),
  without: z.array(text).min(1).optional(),
  at: z.iso.datetime('wanted a time such as 2026-11-23T03:14:07Z').optional(),
  expect: z.enum(['allow', 'deny']),
  reason: z.enum(Object.keys(REASONS) as [Reason, ...Reason[]], 'wanted a reason of docs/errors.md').optional(),
  failed_clause: text.optional(),
});
const testFileSchema = z.strictObject({
  policy: text.optional(),
  with: z.record(z.string(), text).optional(),
  tests: z.array(test).min(1),
});
type TestFile = z.infer<typeof testFileSchema>;

/** Reads a file of tests; the error lists every problem of it, those of its events and captured tokens too. */
export function readPolicyTests(
  source: { readonly file: string; readonly text: string },
  options: TestFileOptions,
): Result<PolicyTestFile, readonly Problem[]> {
  const tokens = new Map<number, PresentedToken>();
  const document = readDocument(source, testFileSchema, {
    maxBytes: MAX_TEST_FILE_BYTES,
    check: (value, report) => checkTests(value, { options, report, tokens }),
  });
  if (!document.ok) return err(document.error);
  const { policy } = document.value.value;
  return ok({
    tests: document.value.value.tests.flatMap((entry, index) => {
      const token = tokens.get(index);
      return token === undefined ? [] : [buildTest(entry, { index, token, source, options, document: document.value })];
    }),
    policy:
      policy === undefined
        ? null
        : { path: policy, problem: (message, hint) => document.value.problemAt(['policy'], message, hint) },
  });
}

interface Check {
  readonly options: TestFileOptions;
  readonly report: Report;
  /** By the test's index; every test without a problem puts its token here. */
  readonly tokens: Map<number, PresentedToken>;
}

/** What the schema cannot say; it meets files that the schema refused, and looks only at what has its form. */
function checkTests(value: JsonValue, check: Check): void {
  const tests = entriesAt(value, ['tests']);
  const shared = valueAt(value, ['with']);
  checkSharedParameters(value, tests, check.report);
  for (const [index, entry] of tests.entries()) {
    if (!isJsonObject(entry)) continue;
    const path = ['tests', index];
    const report: Report = (inside, message, hint) => check.report([...path, ...inside], message, hint);
    checkExpectation(entry, report);
    const token = presentedToken(entry, {
      report,
      shared: isJsonObject(shared) ? shared : {},
      now: timeOf(textAt(entry, ['at'])) ?? check.options.now,
      readToken: check.options.readToken,
    });
    if (token !== undefined) check.tokens.set(index, token);
  }
}

function checkExpectation(entry: JsonValue, report: Report): void {
  if (textAt(entry, ['expect']) !== 'allow') return;
  for (const name of ['reason', 'failed_clause'])
    if (valueAt(entry, [name]) !== undefined) report([name], 'only a refusal has one', 'expect: deny');
}

/** A parameter for all tests must mean something to one of their events. */
function checkSharedParameters(value: JsonValue, tests: readonly JsonValue[], report: Report): void {
  const shared = valueAt(value, ['with']);
  if (!isJsonObject(shared)) return;
  const known = new Set(
    tests.flatMap((entry) => Object.keys(findEvent(textAt(entry, ['event']) ?? '')?.provider.parameters ?? {})),
  );
  for (const name of Object.keys(shared))
    if (!known.has(name)) report(['with', name], 'no event of this file has such a parameter');
}

interface Building {
  readonly index: number;
  readonly token: PresentedToken;
  readonly source: { readonly file: string };
  readonly options: TestFileOptions;
  readonly document: ReadDocument<TestFile>;
}

function buildTest(entry: TestFile['tests'][number], building: Building): PolicyTest {
  const { document, options, source } = building;
  const path: DocumentPath = ['tests', building.index];
  return {
    file: source.file,
    line: document.keyPositionOf(path).line,
    name: entry.name,
    role: { tenant: options.tenant, name: entry.role ?? roleOf(document.value.policy ?? source.file) },
    token: building.token,
    now: timeOf(entry.at) ?? options.now,
    expect: entry.expect,
    reason: entry.reason ?? null,
    failedClause: entry.failed_clause ?? null,
  };
}

/** `publish-web` for `main/publish-web.test.yaml` and for `../publish-web.json`. */
const roleOf = (file: string): string =>
  (file.split('/').at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, '').replace(/\.test$/, '');

function timeOf(at: string | undefined): EpochSeconds | undefined {
  const milliseconds = Date.parse(at ?? '');
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
