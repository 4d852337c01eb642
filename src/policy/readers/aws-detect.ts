// Finds a trust policy document inside what AWS's own tools print. Whether it is a good one is readers/aws.ts's business.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import { valueAt } from '../../base/document/value-at.ts';
import { parseJson } from '../../base/json/parse.ts';

/** A trust policy document and where it stands in what was searched; inside a text, places end at the text. */
export interface DetectedDocument {
  readonly document: JsonValue;
  readonly at: DocumentPath;
}

const MEMBER = 'AssumeRolePolicyDocument';
/** A document by itself; a role's description; `aws iam get-role` and `create-role`; `list-roles` with one role. */
const PLACES: readonly DocumentPath[] = [[MEMBER], ['Role', MEMBER], ['Roles', 0, MEMBER]];
/** Twice IAM's highest quota, tripled by URL encoding. */
const MAX_TEXT_CHARS = 32_768;

/**
 * The trust policy in `value`: itself when it has a Statement, or the one member of a role's description. The IAM API gives it as
 * URL-encoded JSON (RFC 3986), tools as JSON or as JSON in a text: all are taken. Undefined when there is none, or several.
 */
export function detectAwsTrust(value: JsonValue): DetectedDocument | undefined {
  if (isJsonObject(value) && Object.hasOwn(value, 'Statement')) return { document: value, at: [] };
  if (typeof value === 'string') return fromText(value, []);
  const roles = valueAt(value, ['Roles']);
  if (Array.isArray(roles) && roles.length !== 1) return undefined;
  for (const at of PLACES) {
    const found = valueAt(value, at);
    if (isJsonObject(found)) return { document: found, at };
    if (typeof found === 'string') return fromText(found, at);
  }
  return undefined;
}

function fromText(text: string, at: DocumentPath): DetectedDocument | undefined {
  if (text.length > MAX_TEXT_CHARS) return undefined;
  const plain = text.trimStart().startsWith('%') ? decoded(text) : text;
  const parsed = plain === undefined ? undefined : parseJson(new TextEncoder().encode(plain));
  const isDocument = parsed?.ok === true && isJsonObject(parsed.value) && Object.hasOwn(parsed.value, 'Statement');
  return isDocument ? { document: parsed.value, at } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    // A broken escape: not what the API prints.
    return undefined;
  }
}
