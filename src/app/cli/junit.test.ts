import { expect, test } from 'vitest';
import type { PolicyTestResult } from '../../policy/test/run.ts';
import { junitXml } from './junit.ts';

const failed = (name: string, presented: string): PolicyTestResult => ({
  test: {
    file: 'main/a.test.yaml',
    line: 2,
    name,
    role: { tenant: 'main', name: 'a' },
    token: { issuer: 'https://ci.example.com', claims: {} },
    now: 0,
    expect: 'allow',
    reason: null,
    failedClause: null,
  },
  passed: false,
  got: 'deny',
  reason: 'no_rule_matched',
  detail: 'ref',
  mismatch: 'wanted allow, got deny',
  decisive: [{ subject: 'ref', wanted: ['</failure>'], presented, outcome: 'failed', line: 5, file: 'main/a.yaml' }],
  trace: null,
});

test('what a token or a test says cannot break out of the report', () => {
  const xml = junitXml([failed('a "name" <&>\n\u0001\ud800', ']]>\u001b[31m<testcase/>')]);
  // Quotes and angle brackets stand only where the report itself writes them.
  expect(xml.match(/<[^>]*>/g)).toHaveLength(9);
  expect(xml).toContain('name="a &quot;name&quot; &lt;&amp;&gt;&#10;\ufffd\ufffd"');
  expect(xml).toContain('ref wanted &lt;/failure&gt;   got ]]&gt;\\u{1b}[31m&lt;testcase/&gt;');
  expect(xml).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

test('the counts are those of each suite', () => {
  const other = failed('b', 'x');
  const passed = {
    ...other,
    passed: true,
    mismatch: null,
    test: { ...other.test, role: { tenant: 'main', name: 'b' } },
  };
  expect(junitXml([failed('a', 'x'), passed])).toMatch(
    /testsuites [^\n]*tests="2" failures="1".*\n.*testsuite name="main\/a" tests="1" failures="1"(?:.*\n)*.*testsuite name="main\/b" tests="1" failures="0"/,
  );
});
