// One security event of a registered issuer, from its signed form to what it says. It acts on nothing.
import { MAX_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { parseJws } from '../../base/jwt/jws.ts';
import { checkType } from '../../base/jwt/token-type.ts';
import { decodeSecurityEvent, SECURITY_EVENT_TYPE, type SecurityEvent } from '../../wire/secevent/event.ts';
import type { TrustedIssuer } from '../settings.ts';
import { type IssuerKeys, verifyIssuerSignature } from '../verifier/issuer-signature.ts';

/**
 * The event in a SET (RFC 8417) that `issuer` signed for the client `audience`. The explicit type keeps ID tokens out.
 * Errors: those of parseJws, checkType, the signature and the codec; issuer_unknown and audience_mismatch when it was
 * said by or to someone else; claim_malformed when the issuer claims to begin anew at a time that no clock skew explains: with each poll it
 * would end everything once more.
 */
export async function verifyEvent(
  keys: IssuerKeys,
  set: string,
  o: { readonly issuer: TrustedIssuer; readonly audience: string; readonly now: EpochSeconds },
): Promise<Result<SecurityEvent, Failure>> {
  const parsed = parseJws(set);
  if (!parsed.ok) return parsed;
  const type = checkType(parsed.value.header, SECURITY_EVENT_TYPE);
  if (!type.ok) return type;
  const signature = await verifyIssuerSignature(keys, parsed.value, o.issuer);
  if (!signature.ok) return signature;
  const event = decodeSecurityEvent(parsed.value.claims);
  if (!event.ok) return event;
  if (event.value.issuer !== o.issuer.issuer) return err(failure('issuer_unknown', 'the event is of another issuer'));
  if (event.value.audience !== o.audience) return err(failure('audience_mismatch', 'the event is for another client'));
  if (isOfTheFuture(event.value, o.now)) return err(failure('claim_malformed', 'known_since lies in the future'));
  return event;
}

const isOfTheFuture = (event: SecurityEvent, now: EpochSeconds): boolean =>
  event.kind === 'verification' && event.knownSince !== null && event.knownSince > now + MAX_CLOCK_SKEW_SECONDS;
