// `jobpass policy test`: roles against the tests beside them. The same decision as the server's; no server is needed.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import type { Problem } from '../../../base/document/problem.ts';
import { readDocument } from '../../../base/document/read.ts';
import { decide } from '../../../policy/decide.ts';
import { buildPolicySet } from '../../../policy/policy-set.ts';
import { readRole } from '../../../policy/readers/jobpass.ts';
import type { Role } from '../../../policy/role.ts';
import { isRoleFile } from '../../compose/policy-folder.ts';
import { type Command, CommandFailure, EXIT } from '../command.ts';
import { problemsFailure } from '../config-option.ts';
import { paintFor } from '../paint.ts';

const testFileSchema = z.strictObject({
  tests: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        role: z.string().min(1),
        issuer: z.string().min(1),
        claims: z.record(z.string(), z.json()),
        expect: z.enum(['allow', 'deny']),
      }),
    )
    .min(1),
});

interface PolicyTest {
  readonly file: string;
  readonly tenant: string;
  readonly name: string;
  readonly role: string;
  readonly issuer: string;
  readonly claims: z.infer<typeof testFileSchema>['tests'][number]['claims'];
  readonly expect: 'allow' | 'deny';
}

export const policyTest: Command = {
  usage: 'jobpass policy test [FOLDER] [--json]',
  options: { json: { type: 'boolean' } },
  optionHelp: { json: 'print JSON on stdout' },
  async run(surroundings) {
    const folder = resolve(surroundings.folder, surroundings.positionals[0] ?? 'policies');
    const { roles, tests } = readFolder(folder);
    if (tests.length === 0)
      throw new CommandFailure('there are no tests', {
        exitCode: EXIT.usage,
        hint: 'a role publish.yaml is tested by publish.test.yaml beside it',
      });
    const set = buildPolicySet(roles);
    const results = tests.map((test) => {
      const decision = decide(set, {
        role: { tenant: test.tenant, name: test.role },
        issuer: test.issuer,
        claims: test.claims,
      });
      return {
        ...test,
        got: decision.allow ? ('allow' as const) : ('deny' as const),
        detail: decision.allow ? '' : decision.detail,
      };
    });
    const failed = results.filter(({ got, expect }) => got !== expect);
    if (surroundings.options.json === true)
      surroundings.out(JSON.stringify({ passed: results.length - failed.length, failed: failed.length, results }));
    else {
      const paint = paintFor(process.stdout.isTTY === true, surroundings.env);
      for (const { name, role, got, expect, detail, file } of results)
        surroundings.out(
          got === expect
            ? `${paint.good('✓')} ${role}  ${name}`
            : `${paint.bad('✗')} ${role}  ${name}\n    wanted ${expect}, got ${got}${detail === '' ? '' : `: ${detail}`}   ${file}`,
        );
      surroundings.out(`${results.length - failed.length} passed, ${failed.length} failed`);
    }
    return failed.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

function readFolder(folder: string): { roles: readonly Role[]; tests: readonly PolicyTest[] } {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandFailure(`${folder} is not a folder`, {
      exitCode: EXIT.usage,
      hint: 'jobpass init writes one, or name another',
    });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  const problems: Problem[] = [];
  const roles: Role[] = [];
  const tests: PolicyTest[] = [];
  for (const file of files.sort()) {
    const source = { file: join(basename(folder), file), text: readFileSync(join(folder, file), 'utf8') };
    const tenant = dirname(file);
    if (isRoleFile(file)) {
      const role = readRole({ tenant, ...source }, null);
      if (role.ok) roles.push(role.value);
      else problems.push(...role.error);
    } else if (file.endsWith('.test.yaml')) {
      const document = readDocument(source, testFileSchema);
      if (document.ok)
        tests.push(...document.value.value.tests.map((test) => ({ ...test, file: source.file, tenant })));
      else problems.push(...document.error);
    }
  }
  if (problems.length > 0) throw problemsFailure(problems);
  return { roles, tests };
}
