// What a file of Google's documents says besides its trust: uploaded keys, and whether bindings stand beside the provider. Pure.
import type { JsonValue } from '../../../../base/core/json.ts';
import { textAt, valueAt } from '../../../../base/document/value-at.ts';

/** The part of the examined file that the trust does not carry. */
export interface GcpDescription {
  /** The key set that was uploaded to the provider; absent: Google fetches the issuer's. */
  readonly jwksJson?: string;
  /** False: the provider alone, so that everyone whom its condition lets into the pool is let in. */
  readonly hasBindings: boolean;
}

/** A provider with bindings beside it, of a role file the first entry's, or a provider alone. */
const PLACES = [[], ['trust', 0, 'gcp']] as const;

/** Reads the description; of another form than the readers accept, nothing. */
export function gcpDescription(value: JsonValue): GcpDescription {
  const place = PLACES.find((path) => valueAt(value, [...path, 'provider']) !== undefined);
  const jwksJson = place === undefined ? textAt(value, JWKS_PATH) : textAt(value, [...place, 'provider', ...JWKS_PATH]);
  const hasBindings = place !== undefined && valueAt(value, [...place, 'bindings']) !== undefined;
  return { hasBindings, ...(jwksJson === undefined ? {} : { jwksJson }) };
}

const JWKS_PATH = ['oidc', 'jwksJson'];
