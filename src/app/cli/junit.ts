// Results of policy tests as JUnit XML, which CI systems show. The form is the one that they agree on (testsuites,
// testsuite, testcase, failure); no times, because a decision takes none worth showing.
import { formatRoleRef } from '../../base/core/decision.ts';
import type { PolicyTestResult } from '../../policy/test/run.ts';
import { clauseInWords } from './show-policy-tests.ts';

/** One suite per role, in the order of the tests; ends with a newline. */
export function junitXml(results: readonly PolicyTestResult[]): string {
  const suites = new Map<string, PolicyTestResult[]>();
  for (const result of results) {
    const name = formatRoleRef(result.test.role);
    suites.set(name, [...(suites.get(name) ?? []), result]);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="jobpass policy test" ${counts(results)}>`,
    ...[...suites].flatMap(([role, own]) => [
      `  <testsuite name="${escaped(role)}" ${counts(own)}>`,
      ...own.flatMap((result) => testCase(role, result)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

const counts = (results: readonly PolicyTestResult[]): string =>
  `tests="${results.length}" failures="${results.filter(({ passed }) => !passed).length}" errors="0" skipped="0"`;

function testCase(role: string, { test, mismatch, detail, decisive }: PolicyTestResult): readonly string[] {
  const head = `    <testcase name="${escaped(test.name)}" classname="${escaped(role)}" file="${escaped(test.file)}" line="${test.line}"`;
  if (mismatch === null) return [`${head}/>`];
  const lines = [
    `${test.file}:${test.line}`,
    ...(decisive.length === 0 ? [detail] : []),
    ...decisive.map((clause) => `${clause.file}:${clause.line} ${clause.subject} ${clauseInWords(clause)}`),
  ].filter((line) => line !== '');
  return [
    `${head}>`,
    `      <failure type="mismatch" message="${escaped(mismatch)}">${escaped(lines.join('\n'))}</failure>`,
    '    </testcase>',
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** For text and attributes alike. XML 1.0 §2.2 has no way to write other controls and lone surrogates: they become U+FFFD. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    // In attributes these would be read back as blanks (XML 1.0 §3.3.3).
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
