// How the gateway first comes to the STS's public keys: from the STS's own JWKS.
import { MAX_JWKS_BYTES } from '../base/core/limits.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { parseJson } from '../base/json/parse.ts';
import { importKeySet, type VerificationKey } from '../base/jwt/jwk.ts';
import type { GuardedFetch } from '../base/ports/fetch.ts';
import type { GatewaySettings } from './settings.ts';

const JWKS_TIMEOUT_MS = 5000;

/**
 * Keys to check a feed message with when none are known, or none of the known ones signed it. Only ever from the
 * STS's own origin. Failures: `issuer_unreachable`, `key_unusable`.
 */
export async function findStsKeys(
  sts: GatewaySettings['sts'],
  fetch: GuardedFetch,
): Promise<Result<readonly VerificationKey[], Failure>> {
  const answer = await fetch({
    url: `${sts.url}/.well-known/jwks`,
    method: 'GET',
    headers: { accept: 'application/json' },
    network: sts.network,
    maxBytes: MAX_JWKS_BYTES,
    timeoutMs: JWKS_TIMEOUT_MS,
  });
  if (!answer.ok) return err(failure('issuer_unreachable', `JWKS of the STS: ${answer.error.detail}`));
  if (answer.value.status !== 200) {
    return err(failure('issuer_unreachable', `JWKS of the STS: status ${answer.value.status}`));
  }
  const parsed = parseJson(answer.value.body);
  if (!parsed.ok) return err(failure('key_unusable', `JWKS of the STS: ${parsed.error.problem}`));
  return usable(importKeySet(parsed.value));
}

/** The keys of a set that holds at least one. */
export function usable(imported: ReturnType<typeof importKeySet>): Result<readonly VerificationKey[], Failure> {
  if (!imported.ok) return imported;
  const { keys, problems } = imported.value;
  return keys.length > 0 ? ok(keys) : err(failure('key_unusable', `no usable STS key: ${problems.join('; ')}`));
}
