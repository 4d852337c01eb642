// Reads a Google Cloud workload identity pool provider and IAM bindings, as gcloud prints them, into a trust entry
// (cloud-wire §2.4). What Google would refuse to create is refused here; it judges nothing.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { type GcpDocument, gcpTrust } from '../trust/gcp.ts';
import type { Trust } from '../trust/trust.ts';
import { below, type CloudReading, closedObject, counting, lineHere, memberOf } from './cloud-document.ts';
import { readGcpBindings } from './gcp-bindings.ts';
import { PROVIDER_KEYS, readGcpProvider } from './gcp-provider.ts';

/** `direct` is ours; `etag`, `version` and `auditConfigs` stand beside `bindings` in what gcloud prints of a policy. */
const DOCUMENT_KEYS = ['provider', 'bindings', 'direct', 'etag', 'version', 'auditConfigs'];

/**
 * Compiles a provider alone (what gcloud's describe prints: everyone it lets into the pool is let in), or a `provider` with
 * `bindings`, which are a list or a whole IAM policy. The bindings are a service account's, unless `direct` is true.
 * Reports every problem under its path and returns undefined when there was one.
 */
export function compileGcpTrust(value: JsonValue, reading: CloudReading): Trust | undefined {
  const problems = counting(reading);
  const document = isCombined(value) ? readCombined(value, problems.reading) : readAlone(value, problems.reading);
  return document === undefined || problems.any() ? undefined : gcpTrust(document);
}

/** The value itself when it is a provider, an IAM policy of bindings, or both together; undefined for anything else. */
export function detectGcp(value: JsonValue): JsonValue | undefined {
  const provider = isCombined(value) ? memberOf(value, 'provider') : value;
  const isProvider = isJsonObject(provider) && memberOf(provider, 'oidc') !== undefined;
  return isProvider || isPolicy(value) ? value : undefined;
}

/** `gcloud … get-iam-policy`: of a service account, a project, a bucket. */
const isPolicy = (value: JsonValue | undefined): boolean => {
  const bindings = memberOf(value, 'bindings');
  return Array.isArray(bindings) && bindings.every((binding) => memberOf(binding, 'members') !== undefined);
};

const isCombined = (value: JsonValue): boolean =>
  memberOf(value, 'provider') !== undefined || memberOf(value, 'bindings') !== undefined;

/**
 * The bindings as written. An emptied list is still a list: without the key everyone of the provider would be let in, which
 * only a dry run may show, since at Google a provider without bindings opens no service account.
 */
function bindingsOf(value: JsonValue, isDirect: boolean, reading: CloudReading): ReturnType<typeof readGcpBindings> {
  if (isJsonObject(value) && Object.hasOwn(value, 'bindings'))
    return readGcpBindings(value.bindings ?? null, { reading: below(reading, 'bindings'), isDirect });
  demandBindings(reading);
  return undefined;
}

function demandBindings(reading: CloudReading): void {
  if (reading.allowedIssuers === undefined) return;
  const hint = 'bindings: [{ role: roles/iam.workloadIdentityUser, members: ["principal://…"] }]';
  reading.report(reading.at, 'wanted bindings: a role that grants says whom of the provider it lets in', hint);
}

function readAlone(value: JsonValue, reading: CloudReading): GcpDocument | undefined {
  demandBindings(reading);
  closedObject(value, PROVIDER_KEYS, reading);
  const provider = readGcpProvider(value, reading);
  return provider === undefined ? undefined : { provider, line: lineHere(reading) };
}

function readCombined(value: JsonValue, reading: CloudReading): GcpDocument | undefined {
  closedObject(value, DOCUMENT_KEYS, reading);
  const direct = memberOf(value, 'direct');
  if (direct !== undefined && typeof direct !== 'boolean')
    reading.report([...reading.at, 'direct'], 'wanted true or false');
  const bindings = bindingsOf(value, direct === true, reading);
  const place = below(reading, 'provider');
  const described = memberOf(value, 'provider');
  if (described === undefined) {
    const hint = 'gcloud iam workload-identity-pools providers describe --format=json';
    reading.report(place.at, 'wanted the provider: bindings alone do not say whose tokens they are about', hint);
    return undefined;
  }
  closedObject(described, PROVIDER_KEYS, place);
  const provider = readGcpProvider(described, place);
  if (provider === undefined) return undefined;
  return { provider, line: lineHere(reading), ...(bindings === undefined ? {} : { bindings }) };
}
