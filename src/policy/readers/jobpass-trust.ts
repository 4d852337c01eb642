// The trust entries of a role file: which dialect each is in, and its compiled form. Claims and patterns have their schema.
import { isJsonObject, type JsonObject, type JsonValue, ownMember, stringMember } from '../../base/core/json.ts';
import { err, type Result } from '../../base/core/result.ts';
import type { DocumentPath, Problem } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import { entriesAt } from '../../base/document/value-at.ts';
import type { Clause } from '../clause.ts';
import { compileExpression, type Expression } from '../expression/expression.ts';
import { inFile } from '../trust/in-file.ts';
import type { Trust } from '../trust/trust.ts';
import { CLOUD_NAMES, type Cloud, compileCloudTrust, readCloudFile } from './cloud-policies.ts';
import { compileClaims } from './jobpass-claims.ts';
import type { RolePool } from './role-pool.ts';

/** A file beside the role, by its path below the tenant's folder: its text, or why there is none. */
export type ReadFile = (path: string) => Result<string, string>;

/** What one entry compiled to; a cloud's document to its trust, claims to clauses, an expression to itself. */
interface CompiledEntry {
  readonly clauses: readonly Clause[];
  readonly trust?: Trust;
  readonly when?: Expression;
}

/** What the entries of one file compiled to, by their index. */
export interface CompiledEntries {
  readonly entries: readonly CompiledEntry[];
  /** Problems of files that the role names; they stand in those files. */
  readonly elsewhere: readonly Problem[];
  /** The texts of those files, in the order in which the role names them: they belong to the role's content. */
  readonly texts: readonly string[];
}

interface Reading {
  /** The role's own path; the files that it names lie beside it. */
  readonly file: string;
  readonly readFile: ReadFile | undefined;
  readonly pool: RolePool;
  readonly report: Report;
  readonly lineOf: (path: DocumentPath) => number;
  /** The issuers that the tenant may trust; undefined without a ceiling. */
  readonly allowedIssuers: readonly string[] | undefined;
}

/** Longer expressions are nobody's to review. */
const MAX_WHEN_CHARS = 4096;
const MAX_PATH_CHARS = 255;
const CLAIM_KEYS = ['issuer', 'claims', 'when'] as const;

interface CloudKey {
  readonly cloud: Cloud;
  readonly isFile: boolean;
}
const CLOUD_KEYS: ReadonlyMap<string, CloudKey> = new Map(
  CLOUD_NAMES.flatMap((cloud): [string, CloudKey][] => [
    [cloud, { cloud, isFile: false }],
    [`${cloud}_file`, { cloud, isFile: true }],
  ]),
);

/** Compiles what no schema can, and reports every problem of it. It meets files that the schema refused. */
export function compileEntries(value: JsonValue, reading: Reading): CompiledEntries {
  const elsewhere: Problem[] = [];
  const texts: string[] = [];
  const entries = entriesAt(value, ['trust']).map((entry, index): CompiledEntry => {
    if (!isJsonObject(entry)) return { clauses: [] };
    const claims = ownMember(entry, 'claims');
    const clauses = isJsonObject(claims) ? compileClaims(claims, index, reading) : [];
    const at = ['trust', index];
    const key = checkKeys(entry, at, reading.report);
    const named = CLOUD_KEYS.get(key ?? '');
    if (key === undefined || named === undefined) {
      const when = compileWhen(entry, at, reading);
      return when === undefined ? { clauses } : { clauses, when };
    }
    const member = { value: entry[key] ?? null, path: [...at, key], reading };
    const trust = named.isFile
      ? compileFile(named.cloud, { ...member, elsewhere, texts })
      : compileInline(named.cloud, member);
    return trust === undefined ? { clauses } : { clauses, trust };
  });
  return { entries, elsewhere, texts };
}

/** The member that says which dialect the entry is in; undefined for Jobpass's own, and for entries that are none. */
function checkKeys(entry: JsonObject, at: DocumentPath, report: Report): string | undefined {
  const [cloud, ...more] = Object.keys(entry).filter((name) => CLOUD_KEYS.has(name));
  if (cloud !== undefined) {
    const own = CLAIM_KEYS.filter((name) => Object.hasOwn(entry, name));
    for (const name of [...more, ...own])
      report([...at, name], `has no place beside ${cloud}: wanted an entry of its own`);
    return more.length + own.length === 0 ? cloud : undefined;
  }
  if (!Object.hasOwn(entry, 'issuer')) {
    report([...at, 'issuer'], 'wanted text', `or a document of a cloud: ${[...CLOUD_KEYS.keys()].join(', ')}`);
  }
  if (!Object.hasOwn(entry, 'claims') && !Object.hasOwn(entry, 'when')) {
    report([...at, 'claims'], 'wanted claims, when, or both: a rule without any lets everyone in');
  }
  return undefined;
}

function compileWhen(entry: JsonObject, at: DocumentPath, { report }: Reading): Expression | undefined {
  const source = stringMember(entry, 'when') ?? '';
  if (source === '') return undefined;
  const compiled = compileExpression(source, { variables: ['claims'], maxChars: MAX_WHEN_CHARS });
  if (compiled.ok) return compiled.value;
  report([...at, 'when'], `${compiled.error.problem} (after ${compiled.error.offset} characters)`);
  return undefined;
}

interface CloudMember {
  readonly value: JsonValue;
  readonly path: DocumentPath;
  readonly reading: Reading;
}

function compileInline(cloud: Cloud, { value, path, reading }: CloudMember): Trust | undefined {
  const { report, lineOf, allowedIssuers } = reading;
  return compileCloudTrust(cloud, value, { report, at: path, lineOf, allowedIssuers });
}

function compileFile(
  cloud: Cloud,
  { value, path, reading, elsewhere, texts }: CloudMember & { elsewhere: Problem[]; texts: string[] },
): Trust | undefined {
  if (typeof value !== 'string') return undefined;
  const problem = pathProblem(value);
  const text: Result<string, string> =
    problem === undefined ? (reading.readFile?.(value) ?? err('files cannot be read here')) : err(problem);
  if (!text.ok) {
    reading.report(path, text.error);
    return undefined;
  }
  texts.push(text.value);
  const file = [...reading.file.split('/').slice(0, -1), value].join('/');
  const trust = readCloudFile({ file, text: text.value }, { cloud, allowedIssuers: reading.allowedIssuers });
  if (trust.ok) return inFile(trust.value, { file, line: reading.lineOf(path) });
  elsewhere.push(...trust.error);
  return undefined;
}

const PLAIN_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** A path stays below the tenant's folder by its form alone: no empty, hidden, `.` or `..` part, no backslash. */
function pathProblem(path: string): string | undefined {
  if (path.length > MAX_PATH_CHARS || !path.split('/').every((part) => PLAIN_SEGMENT.test(part))) {
    return 'wanted a path below the tenant’s folder, of A-Z, a-z, 0-9, ., _ and -, without ..';
  }
  if (/\.ya?ml$/.test(path) && !path.includes('/')) {
    return 'wanted .json, or a folder of its own: a YAML file beside roles is taken for a role';
  }
  return undefined;
}
