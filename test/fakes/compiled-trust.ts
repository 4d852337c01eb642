// Calls the readers of the clouds' documents as the reader of a role does, and collects what they report.
import type { JsonValue } from '../../src/base/core/json.ts';
import { type DocumentPath, formatPath } from '../../src/base/document/problem.ts';
import type { CloudReading } from '../../src/policy/readers/cloud-document.ts';
import type { Trust } from '../../src/policy/trust/trust.ts';

type Compile = (value: JsonValue, reading: CloudReading) => Trust | undefined;

export interface CompiledTrust {
  readonly trust: Trust | undefined;
  /** `path: message` of every problem. */
  readonly problems: readonly string[];
}

/** The trust, if there is one, and every problem. The line of a path is its length plus one. */
export function compileTrust(
  compile: Compile,
  value: JsonValue,
  at: DocumentPath = [],
  allowedIssuers?: readonly string[],
): CompiledTrust {
  const problems: string[] = [];
  const trust = compile(value, {
    report: (path, message) => problems.push(`${formatPath(path)}: ${message}`),
    at,
    lineOf: (path) => path.length + 1,
    allowedIssuers,
  });
  return { trust, problems };
}

/** The trust. Throws with the problems when the document is refused. */
export function trustOf(compile: Compile, value: JsonValue): Trust {
  const { trust, problems } = compileTrust(compile, value);
  if (trust === undefined) throw new Error(problems.join('\n'));
  return trust;
}
