// One policy file of the folder as a role, with the files that it names. When it is read, and what is in force, is policy-reload's.
import { hash } from 'node:crypto';
import { parseRoleRef } from '../base/core/decision.ts';
import { MAX_POLICY_BYTES } from '../base/core/limits.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Problem } from '../base/document/problem.ts';
import { readRole } from '../policy/readers/jobpass.ts';
import type { RolePool } from '../policy/readers/role-pool.ts';
import type { Ceiling, Role } from '../policy/role.ts';
import type { PolicyFile, PolicySource } from './policy-source.ts';

const ENDING = '.yaml';

/** What a role was made of, by SHA-256 (hex): the same bytes make the same role. */
export interface RoleSource {
  readonly digest: string;
  /** The files that it names, by their path below the policies folder, each with its digest. */
  readonly documents: readonly (readonly [string, string])[];
}

/** A role with what it was made of. */
export interface ReadRoleFile {
  readonly role: Role;
  readonly source: RoleSource;
}

export interface ReadPolicyDeps {
  readonly read: PolicySource['read'];
  readonly ceilings: ReadonlyMap<string, Ceiling>;
  readonly pool: RolePool;
}

const digestOf = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : hash('sha256', bytes));

/** Whether the role that `source` made would come out again. Reads what it names, and nothing else. Never rejects. */
export async function isUnchanged(file: PolicyFile, source: RoleSource, read: PolicySource['read']): Promise<boolean> {
  if (digestOf(file.bytes) !== source.digest) return false;
  for (const [path, digest] of source.documents) {
    const now = await read(path).then(digestOf, () => '');
    if (now !== digest) return false;
  }
  return true;
}

/** Reads the file, then what it names, if anything. The error lists all problems of all of them. Never rejects. */
export async function readPolicyFile(
  file: PolicyFile,
  deps: ReadPolicyDeps,
): Promise<Result<ReadRoleFile, readonly Problem[]>> {
  const problem = (message: string, hint?: string): Result<never, readonly Problem[]> =>
    err([{ file: file.path, line: 1, column: 1, path: '', message, ...(hint === undefined ? {} : { hint }) }]);
  const tenant = file.path.endsWith(ENDING) ? parseRoleRef(file.path.slice(0, -ENDING.length))?.tenant : undefined;
  if (tenant === undefined) return problem('wanted <tenant>/<role>.yaml, names of up to 63 of a-z, 0-9 and -');
  const ceiling = deps.ceilings.get(tenant);
  if (ceiling === undefined) return problem(`there is no tenant ${tenant}`, 'list it under sts.tenants');
  const text = textOf(file.bytes);
  if (!text.ok) return problem(text.error);
  const documents = new Map<string, { readonly text: Result<string, string>; readonly digest: string }>();
  for (;;) {
    const missing: string[] = [];
    const role = readRole({ tenant, file: file.path, text: text.value }, ceiling, {
      pool: deps.pool,
      readFile(path) {
        const known = documents.get(path);
        if (known === undefined) missing.push(path);
        return known?.text ?? err('not read yet');
      },
    });
    if (missing.length === 0) return role.ok ? ok({ role: role.value, source: sourceOf() }) : role;
    // The names follow from the text alone: once they are read, none is missing the next time.
    for (const path of missing) documents.set(path, await readDocument(`${tenant}/${path}`, deps.read));
  }
  function sourceOf(): RoleSource {
    const named = [...documents].map(([path, { digest }]) => [`${tenant}/${path}`, digest] as const);
    return { digest: digestOf(file.bytes), documents: named };
  }
}

async function readDocument(
  path: string,
  read: PolicySource['read'],
): Promise<{ text: Result<string, string>; digest: string }> {
  try {
    const bytes = await read(path);
    return {
      text: bytes === undefined ? err('there is no such file, or it is a link') : textOf(bytes),
      digest: digestOf(bytes),
    };
  } catch {
    return { text: err('the file cannot be read'), digest: '' };
  }
}

function textOf(bytes: Uint8Array): Result<string, string> {
  if (bytes.byteLength > MAX_POLICY_BYTES) return err(`larger than ${MAX_POLICY_BYTES} bytes`);
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err('not UTF-8');
  }
}
