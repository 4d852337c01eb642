// What an STS like AWS's wants of published keys beyond their having signed. AWS itself wants nothing more.
import { type JsonObject, stringMember } from '../../../../base/core/json.ts';
import type { ParsedJws } from '../../../../base/jwt/jws.ts';
import { type Finding, holds, unseen, wrong } from '../finding.ts';
import { certificateOf } from '../issuer-findings.ts';

/** Ceph RGW takes keys from `x5c`, and up to release 16 from the first key alone. */
export function certificateFindings(keys: readonly JsonObject[], token: ParsedJws): readonly Finding[] {
  const bare = keys.filter((key) => certificateOf(key) === undefined);
  if (bare.length > 0) {
    const detail = `${bare.length} of ${keys.length} keys have no x5c, where Ceph RGW looks for the key`;
    return [wrong('certificates', detail, 'publish x5c, as a Jobpass issuer does for RS256 and ES256')];
  }
  const [first, ...others] = keys;
  const isFirst = first !== undefined && stringMember(first, 'kid') === token.header.kid;
  return [
    isFirst
      ? holds('certificates', 'every key has x5c, and the one that signed stands first')
      : unseen('certificates', 'another key than the one that signed stands first: Ceph RGW 16 reads no other'),
    ...rotationFindings(others),
  ];
}

/** Which fingerprints change hands with a rotation is told by none of them: each must be registered while its key may sign. */
function rotationFindings(others: readonly JsonObject[]): readonly Finding[] {
  if (others.length === 0) return [];
  const detail = `${others.length + 1} keys are published: after a rotation another one signs, which must be registered by then`;
  return [unseen('pinned certificates', detail, 'the thumbprints x5c below; jobpass keys list tells when')];
}
