// Reads Azure federated identity credentials, as az and Microsoft Graph print them, into a trust entry (cloud-wire §3.3).
// What Azure would refuse to create is refused here; it judges nothing.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { AZURE_EXCHANGE_AUDIENCE } from '../../base/credential/azure-names.ts';
import { type AzureComparison, type AzureCredential, azureTrust } from '../trust/azure.ts';
import type { Trust } from '../trust/trust.ts';
import { parseAzureExpression } from './azure-expression.ts';
import {
  below,
  type CloudReading,
  closedObject,
  counting,
  lineHere,
  memberOf,
  type TextRules,
  textProblem,
  textUnder,
} from './cloud-document.ts';

/** Per application or managed identity. */
export const MAX_AZURE_CREDENTIALS = 20;
/** Of an issuer, a subject, an audience. */
export const MAX_AZURE_TEXT_CHARS = 600;
const NAME = /^[A-Za-z0-9_-]{3,120}$/;

/** Issuers whose tokens a flexible credential may match, and the claims that it may name. */
const FLEXIBLE_ISSUERS: readonly { readonly issuer: RegExp; readonly claims: readonly string[] }[] = [
  { issuer: /^https:\/\/token\.actions\.githubusercontent\.com$/, claims: ['sub', 'job_workflow_ref'] },
  { issuer: /^https:\/\/gitlab(?:\.[a-z0-9-]+)*\.com$/, claims: ['sub'] },
  { issuer: /^https:\/\/gitlab(?:\.[a-z0-9-]+)+\.ca$/, claims: ['sub'] },
  { issuer: /^https:\/\/app(?:\.eu)?\.terraform\.io$/, claims: ['sub'] },
];

const CREDENTIAL_KEYS = ['name', 'issuer', 'subject', 'audiences', 'description', 'claimsMatchingExpression', 'id'];
/** What `az identity federated-credential` prints besides. */
const MANAGED_IDENTITY_KEYS = ['type', 'resourceGroup', 'systemData'];
/** What Microsoft Graph adds to every answer. */
const GRAPH_KEYS = ['@odata.context', '@odata.count', '@odata.type', '@odata.id', '@odata.etag', '@odata.nextLink'];

/**
 * Compiles one credential, or the list of an application's (bare, or under `value` as Graph answers): any of them
 * suffices. Reports every problem under its path and returns undefined when there was one. A credential without a name is
 * accepted, as it stands in a role file.
 */
export function compileAzureTrust(value: JsonValue, reading: CloudReading): Trust | undefined {
  const problems = counting(reading);
  const place = listPlace(value);
  if (place === undefined) {
    const credential = readCredential(value, problems.reading);
    return credential === undefined || problems.any() ? undefined : azureTrust([credential], lineHere(reading));
  }
  if (!Array.isArray(value)) closedObject(value, ['value', ...GRAPH_KEYS], problems.reading);
  const list = below(problems.reading, ...place.path);
  const credentials = place.entries.map((entry, index) => readCredential(entry, below(list, index)));
  checkList(place.entries, list);
  const read = credentials.filter((credential) => credential !== undefined);
  return problems.any() || read.length !== credentials.length ? undefined : azureTrust(read, lineHere(reading));
}

/** The value itself when it is what az, Graph or a role file calls federated identity credentials. */
export function detectAzure(value: JsonValue): JsonValue | undefined {
  const entries = listPlace(value)?.entries ?? [value];
  return entries.length > 0 && entries.every(isCredential) ? value : undefined;
}

const isCredential = (value: JsonValue): boolean =>
  isJsonObject(value) &&
  typeof memberOf(value, 'issuer') === 'string' &&
  ['subject', 'claimsMatchingExpression'].some((name) => memberOf(value, name) !== undefined);

function listPlace(value: JsonValue): { path: readonly string[]; entries: readonly JsonValue[] } | undefined {
  if (Array.isArray(value)) return { path: [], entries: value };
  const list = memberOf(value, 'value');
  return Array.isArray(list) ? { path: ['value'], entries: list } : undefined;
}

/** What Azure holds of all credentials of one application together. It meets entries of any form. */
function checkList(entries: readonly JsonValue[], reading: CloudReading): void {
  if (entries.length === 0) reading.report(reading.at, 'wanted at least one credential');
  if (entries.length > MAX_AZURE_CREDENTIALS) {
    reading.report(
      reading.at,
      `wanted at most ${MAX_AZURE_CREDENTIALS} credentials: Azure allows an application no more`,
    );
  }
  const identities = new Set<string>();
  const names = new Set<string>();
  entries.forEach((entry, index) => {
    const matched = memberOf(entry, 'subject') ?? memberOf(memberOf(entry, 'claimsMatchingExpression'), 'value');
    const identity = JSON.stringify([memberOf(entry, 'issuer') ?? null, matched ?? null]);
    if (matched !== undefined && identities.has(identity)) {
      reading.report([...reading.at, index], 'the combination of issuer and subject must be unique on the application');
    }
    identities.add(identity);
    const name = memberOf(entry, 'name');
    if (typeof name === 'string' && names.has(name)) {
      reading.report([...reading.at, index, 'name'], 'wanted another name: an earlier credential has it');
    }
    if (typeof name === 'string') names.add(name);
  });
}

function readCredential(value: JsonValue, reading: CloudReading): AzureCredential | undefined {
  const credential = closedObject(value, [...CREDENTIAL_KEYS, ...MANAGED_IDENTITY_KEYS, ...GRAPH_KEYS], reading);
  if (!isJsonObject(value)) return undefined;
  const bounded: TextRules = { required: true, maxChars: MAX_AZURE_TEXT_CHARS };
  textUnder(value, 'name', reading, {
    problem: (name) => (NAME.test(name) ? undefined : 'wanted 3 to 120 of A-Z, a-z, 0-9, _ and -'),
  });
  // Graph keeps an empty description as it was sent.
  if (memberOf(value, 'description') !== '')
    textUnder(value, 'description', reading, { maxChars: MAX_AZURE_TEXT_CHARS });
  const issuer = textUnder(value, 'issuer', reading, bounded);
  const audience = readAudience(value, reading);
  const comparisons = readMatching(value, reading, bounded);
  if (credential === undefined || issuer === undefined || audience === undefined || comparisons === undefined) {
    return undefined;
  }
  return {
    issuer,
    audience,
    comparisons,
    line: lineHere(reading),
    issuerLine: reading.lineOf([...reading.at, 'issuer']),
    audienceLine: reading.lineOf([...reading.at, 'audiences']),
  };
}

function readAudience(value: JsonValue, reading: CloudReading): string | undefined {
  const audiences = memberOf(value, 'audiences');
  if (audiences === undefined) return AZURE_EXCHANGE_AUDIENCE;
  const path = [...reading.at, 'audiences'];
  if (!Array.isArray(audiences) || audiences.length !== 1) {
    reading.report(path, 'wanted a list of exactly one audience, as Azure does', AZURE_EXCHANGE_AUDIENCE);
    return undefined;
  }
  const [audience] = audiences;
  const problem = textProblem(audience, { maxChars: MAX_AZURE_TEXT_CHARS });
  if (problem === undefined && typeof audience === 'string') return audience;
  reading.report([...path, 0], problem ?? 'wanted text');
  return undefined;
}

function readMatching(
  value: JsonValue,
  reading: CloudReading,
  bounded: TextRules,
): readonly AzureComparison[] | undefined {
  const expression = memberOf(value, 'claimsMatchingExpression');
  if (expression === undefined) {
    const subject = textUnder(value, 'subject', reading, bounded);
    const line = reading.lineOf([...reading.at, 'subject']);
    return subject === undefined ? undefined : [{ claim: 'sub', literal: subject, line }];
  }
  if (memberOf(value, 'subject') !== undefined) {
    reading.report(
      [...reading.at, 'subject'],
      'wanted null: Azure takes subject or claimsMatchingExpression, not both',
    );
  }
  if (MANAGED_IDENTITY_KEYS.some((name) => memberOf(value, name) !== undefined)) {
    const message = 'wanted a subject: Azure takes expressions on applications only, not on managed identities';
    reading.report([...reading.at, 'claimsMatchingExpression'], message);
  }
  return readExpression(expression, memberOf(value, 'issuer'), below(reading, 'claimsMatchingExpression'));
}

function readExpression(
  value: JsonValue,
  issuer: JsonValue | undefined,
  reading: CloudReading,
): readonly AzureComparison[] | undefined {
  closedObject(value, ['value', 'languageVersion', '@odata.type'], reading);
  if (!isJsonObject(value)) return undefined;
  if (memberOf(value, 'languageVersion') !== 1) reading.report([...reading.at, 'languageVersion'], 'wanted 1');
  const source = textUnder(value, 'value', reading, { required: true });
  if (source === undefined) return undefined;
  const path = [...reading.at, 'value'];
  const parsed = parseAzureExpression(source);
  if (!parsed.ok) {
    reading.report(path, `${parsed.error.problem} (after ${parsed.error.offset} characters)`);
    return undefined;
  }
  const known = FLEXIBLE_ISSUERS.find((entry) => typeof issuer === 'string' && entry.issuer.test(issuer));
  if (known === undefined) {
    reading.report(path, 'wanted a subject: Azure takes expressions only for GitHub, GitLab and Terraform Cloud');
  }
  for (const { claim, operator, literal } of parsed.value) {
    if (operator === 'matches' && /^[*?]+$/.test(literal)) {
      reading.report(
        path,
        `claims['${claim}'] matches anything: this names nobody`,
        'name the owner and the repository',
      );
    }
    if (known !== undefined && !known.claims.includes(claim)) {
      reading.report(path, `of this issuer Azure compares only ${known.claims.join(' and ')}`);
    }
    if (literal.length > MAX_AZURE_TEXT_CHARS)
      reading.report(path, `wanted literals of at most ${MAX_AZURE_TEXT_CHARS} characters`);
    if (literal === '') reading.report(path, 'wanted literals that are not empty');
  }
  const line = reading.lineOf(path);
  return parsed.value.map((comparison) => ({ ...comparison, line }));
}
