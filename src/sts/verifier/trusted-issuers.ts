// The registered issuers. Whether an issuer is known is decided here, by its exact string, before anything is fetched.
import { JobpassError } from '../../base/core/errors.ts';
import type { JsonValue } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { quote } from '../../base/json/quote.ts';
import type { TrustedIssuer } from '../settings.ts';

export type TrustedIssuers = ReadonlyMap<string, TrustedIssuer>;

/** The issuers by name. Throws ERR_ISSUER_REGISTRATION when one is registered twice or accepts no audience or algorithm. */
export function trustedIssuers(issuers: readonly TrustedIssuer[]): TrustedIssuers {
  const known = new Map<string, TrustedIssuer>();
  for (const issuer of issuers) {
    const wrong = known.has(issuer.issuer) ? 'is registered twice' : incomplete(issuer);
    if (wrong !== undefined) throw new JobpassError('ERR_ISSUER_REGISTRATION', `issuer ${issuer.issuer} ${wrong}`);
    known.set(issuer.issuer, issuer);
  }
  return known;
}

function incomplete(issuer: TrustedIssuer): string | undefined {
  if (issuer.audiences.length === 0) return 'has no audience';
  return issuer.algorithms.length === 0 ? 'has no algorithm' : undefined;
}

/**
 * The registration whose issuer equals `iss` code unit by code unit: no prefix, no case folding, no URL normalisation
 * (CVE-2025-52477, CVE-2026-14336), and no list of issuers (CVE-2025-30144). `iss` is not verified yet.
 */
export function findIssuer(issuers: TrustedIssuers, iss: JsonValue | undefined): Result<TrustedIssuer, Failure> {
  if (iss === undefined) return err(failure('claim_missing', 'iss'));
  if (typeof iss !== 'string') return err(failure('claim_malformed', 'iss is not a string'));
  const issuer = issuers.get(iss);
  return issuer === undefined ? err(failure('issuer_unknown', `no issuer ${quote(iss)} is registered`)) : ok(issuer);
}
