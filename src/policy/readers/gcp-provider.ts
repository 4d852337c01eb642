// Reads one workload identity pool provider with Google's limits (cloud-wire §2.4), each refused with Google's reason.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { compileExpression, type Expression } from '../expression/expression.ts';
import type { GcpProvider } from '../trust/gcp.ts';
import type { GcpMapping } from '../trust/gcp-mapping.ts';
import {
  below,
  type CloudReading,
  closedObject,
  lineHere,
  memberOf,
  textProblem,
  textUnder,
} from './cloud-document.ts';
import { readGcpCondition } from './gcp-condition.ts';

const OTHER_KINDS = ['aws', 'saml', 'x509'];
/** What gcloud's describe prints, and Google's API. */
export const PROVIDER_KEYS: readonly string[] = [
  'name',
  'displayName',
  'description',
  'state',
  'disabled',
  'expireTime',
  'attributeMapping',
  'attributeCondition',
  'oidc',
  ...OTHER_KINDS,
];
const OIDC_KEYS = ['issuerUri', 'allowedAudiences', 'jwksJson'];
const MAX_AUDIENCES = 10;
const MAX_AUDIENCE_CHARS = 256;
const MAX_CUSTOM_ATTRIBUTES = 50;
const MAX_MAPPING_CHARS = 2048;
const CUSTOM_ATTRIBUTE = /^attribute\.[a-z0-9_]{1,100}$/;
const GOOGLE_ATTRIBUTES: readonly string[] = ['google.subject', 'google.groups'];

/** Reads a provider. Reports every problem under its path; undefined when a part that judging needs is missing. */
export function readGcpProvider(value: JsonValue, reading: CloudReading): GcpProvider | undefined {
  if (!isJsonObject(value)) return undefined;
  const pool = readName(value, reading);
  textUnder(value, 'displayName', reading, { maxChars: 32 });
  textUnder(value, 'description', reading, { maxChars: 256 });
  const off = readState(value, reading);
  const place = below(reading, 'oidc');
  const oidc = memberOf(value, 'oidc');
  for (const kind of OTHER_KINDS) {
    if (memberOf(value, kind) !== undefined) reading.report([...reading.at, kind], 'wanted a provider of kind oidc');
  }
  closedObject(oidc, OIDC_KEYS, place);
  const issuer = textUnder(oidc, 'issuerUri', place, {
    required: isJsonObject(oidc),
    problem: (url) => issuerProblem(url, reading.allowedIssuers),
  });
  textUnder(oidc, 'jwksJson', place);
  const allowed = readAudiences(oidc, place);
  const mappings = readMappings(memberOf(value, 'attributeMapping'), below(reading, 'attributeMapping'));
  const condition = readGcpCondition(memberOf(value, 'attributeCondition'), {
    reading: below(reading, 'attributeCondition'),
    issuer,
  });
  if (pool === undefined || issuer === undefined) return undefined;
  return {
    pool: pool.name,
    issuer,
    // Google's rule for an empty list: the provider's full name, with or without the scheme.
    audiences: allowed.length > 0 ? allowed : [`//${pool.provider}`, `https://${pool.provider}`],
    mappings,
    line: lineHere(reading),
    issuerLine: reading.lineOf([...place.at, 'issuerUri']),
    audienceLine: reading.lineOf(allowed.length > 0 ? [...place.at, 'allowedAudiences'] : [...reading.at, 'name']),
    ...(off === undefined ? {} : { off }),
    ...(condition === undefined ? {} : { condition }),
  };
}

const NAME = /^projects\/([^/]+)\/locations\/([^/]+)\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/;
const HOST = 'iam.googleapis.com';

function readName(
  value: JsonValue,
  reading: CloudReading,
): { readonly name: string; readonly provider: string } | undefined {
  const name = textUnder(value, 'name', reading, { required: true, problem: nameProblem });
  if (name === undefined) return undefined;
  return { name: `${HOST}/${name.replace(/\/providers\/[^/]+$/, '')}`, provider: `${HOST}/${name}` };
}

function nameProblem(name: string): string | undefined {
  const [, project = '', location, pool = '', provider = ''] = NAME.exec(name) ?? [];
  if (location === undefined) {
    return 'wanted projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER';
  }
  if (!/^[0-9]{1,20}$/.test(project)) return 'wanted the number of the project, not its id: names are by number';
  if (location !== 'global') return 'wanted the location global: Google has no other';
  return gcpIdProblem('pool', pool) ?? gcpIdProblem('provider', provider);
}

/** What Google says against an id of a pool or provider. */
export function gcpIdProblem(what: string, id: string): string | undefined {
  if (!/^[a-z0-9-]{4,32}$/.test(id)) return `wanted a ${what} id of 4 to 32 of a-z, 0-9 and -`;
  return id.startsWith('gcp-') ? `wanted another ${what} id: the prefix gcp- is reserved for use by Google` : undefined;
}

/** Why Google would answer invalid_target; undefined when the provider is on. */
function readState(value: JsonValue, reading: CloudReading): string | undefined {
  const state = memberOf(value, 'state') ?? 'ACTIVE';
  const disabled = memberOf(value, 'disabled') ?? false;
  if (state !== 'ACTIVE' && state !== 'DELETED') reading.report([...reading.at, 'state'], 'wanted ACTIVE or DELETED');
  if (typeof disabled !== 'boolean') reading.report([...reading.at, 'disabled'], 'wanted true or false');
  textUnder(value, 'expireTime', reading);
  if (state === 'DELETED') return 'invalid_target: the provider is deleted';
  return disabled === true ? 'invalid_target: the provider is disabled' : undefined;
}

/** Of a loopback address http is taken too where the tenant's ceiling lists that very URL, as `serve --dev` has it. */
function issuerProblem(issuer: string, allowed: readonly string[] | undefined): string | undefined {
  if (LOOPBACK.test(issuer) && allowed?.includes(issuer) === true) return undefined;
  const isPlain = URL.parse(issuer) !== null && /^https:\/\/[^?#\s]+$/.test(issuer);
  return isPlain ? undefined : 'wanted an https URL without query and fragment, as Google does';
}

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?(?:\/[^?#\s]*)?$/;

function readAudiences(oidc: JsonValue | undefined, reading: CloudReading): readonly string[] {
  const list = memberOf(oidc, 'allowedAudiences');
  if (list === undefined) return [];
  const path = [...reading.at, 'allowedAudiences'];
  if (!Array.isArray(list)) {
    reading.report(path, 'wanted a list of audiences');
    return [];
  }
  if (list.length > MAX_AUDIENCES) reading.report(path, `wanted at most ${MAX_AUDIENCES} audiences, as Google does`);
  return list.flatMap((audience, index) => {
    const problem = textProblem(audience, { maxChars: MAX_AUDIENCE_CHARS });
    if (problem !== undefined) reading.report([...path, index], problem);
    return typeof audience === 'string' ? [audience] : [];
  });
}

function readMappings(value: JsonValue | undefined, reading: CloudReading): readonly GcpMapping[] {
  if (value !== undefined && !isJsonObject(value)) {
    reading.report(reading.at, 'wanted a mapping of attributes to expressions');
    return [];
  }
  const entries = Object.entries(value ?? {});
  if (!entries.some(([key]) => key === 'google.subject')) {
    reading.report(reading.at, 'google.subject must be mapped', 'google.subject: assertion.sub');
  }
  if (entries.filter(([key]) => key.startsWith('attribute.')).length > MAX_CUSTOM_ATTRIBUTES) {
    reading.report(reading.at, `wanted at most ${MAX_CUSTOM_ATTRIBUTES} custom attributes, as Google does`);
    return [];
  }
  return entries.flatMap(([key, source]) => {
    const problem = keyProblem(key);
    if (problem !== undefined) reading.report([...reading.at, key], problem);
    const expression = problem === undefined ? readMapping(key, source, reading) : undefined;
    return expression === undefined ? [] : [{ key, expression, line: reading.lineOf([...reading.at, key]) }];
  });
}

const keyProblem = (key: string): string | undefined =>
  GOOGLE_ATTRIBUTES.includes(key) || CUSTOM_ATTRIBUTE.test(key)
    ? undefined
    : "Invalid mapped attribute key. Custom mapped attributes must be in format 'attribute.{custom_attribute}': a-z, 0-9, _, at most 100";

function readMapping(key: string, source: JsonValue, reading: CloudReading): Expression | undefined {
  const path = [...reading.at, key];
  const problem = textProblem(source, { maxChars: MAX_MAPPING_CHARS });
  if (problem !== undefined || typeof source !== 'string') {
    reading.report(path, problem ?? 'wanted text');
    return undefined;
  }
  const options = { variables: ['assertion'], maxChars: MAX_MAPPING_CHARS, dialect: 'google' } as const;
  const compiled = compileExpression(source, options);
  if (compiled.ok) return compiled.value;
  reading.report(path, `${compiled.error.problem} (after ${compiled.error.offset} characters)`);
  return undefined;
}
