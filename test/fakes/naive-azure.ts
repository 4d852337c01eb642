// Azure's federated identity credentials a second time, deliberately naive: no compiled form, no bounds, no early exit.
// Tests compare the real evaluator with it. Precondition: the real reader accepted the document.
import type { Claims, JsonValue } from '../../src/base/core/json.ts';

interface Document {
  readonly issuer: string;
  readonly subject?: string | null;
  readonly audiences?: readonly string[];
  readonly claimsMatchingExpression?: { readonly value: string } | null;
}

/** Whether any of the credentials lets the token in. */
export function naiveAzure(document: JsonValue, token: { readonly issuer: string; readonly claims: Claims }): boolean {
  const credentials = (Array.isArray(document) ? document : [document]) as unknown as readonly Document[];
  return credentials.filter((credential) => lets(credential, token)).length > 0;
}

function lets(credential: Document, token: { readonly issuer: string; readonly claims: Claims }): boolean {
  const wantedAudience = credential.audiences?.[0] ?? 'api://AzureADTokenExchange';
  const audience = token.claims.aud;
  const issuerIsRight = credential.issuer === token.issuer;
  const audienceIsRight = audience === wantedAudience || JSON.stringify(audience) === JSON.stringify([wantedAudience]);
  const expression = credential.claimsMatchingExpression?.value;
  const subjectIsRight =
    expression === undefined ? token.claims.sub === credential.subject : expressionHolds(expression, token.claims);
  return issuerIsRight && audienceIsRight && subjectIsRight;
}

/** The random literals of the tests never hold ` and `. */
const expressionHolds = (expression: string, claims: Claims): boolean =>
  expression.split(' and ').every((part) => {
    const [lookup = '', operator = '', ...rest] = part.split(' ');
    const value = claims[lookup.slice("claims['".length, -"']".length)];
    const literal = rest.join(' ').slice(1, -1).replaceAll("''", "'");
    if (typeof value !== 'string') return false;
    return operator === 'eq' ? value === literal : matches([...literal], [...value]);
  });

function matches(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === '*') return text.some((_, at) => matches(rest, text.slice(at))) || matches(rest, []);
  const [head, ...tail] = text;
  return head !== undefined && (first === '?' || first === head) && matches(rest, tail);
}
