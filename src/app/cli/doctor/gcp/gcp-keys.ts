// Keys that were uploaded to a provider against the token and against what the issuer publishes: from then on nobody but a person
// keeps the two in step.
import type { JsonObject } from '../../../../base/core/json.ts';
import { parseJsonObject } from '../../../../base/json/parse.ts';
import { importKeySet, type VerificationKey } from '../../../../base/jwt/jwk.ts';
import type { ParsedJws } from '../../../../base/jwt/jws.ts';
import type { Cloud } from '../cloud.ts';
import { type Finding, holds, unseen, wrong } from '../finding.ts';
import { signatureFinding } from '../issuer-findings.ts';

const FIX =
  'gcloud iam workload-identity-pools providers update-oidc … --jwk-json-path=jwks.json, see docs/integrations/gcp.md';

/** Whether the uploaded keys verify the token, and are the issuer's; `published` undefined: the issuer's could not be had. */
export async function uploadedKeyFindings(
  jwksJson: string,
  o: {
    readonly token: ParsedJws;
    readonly published: readonly JsonObject[] | undefined;
    readonly cloud: Pick<Cloud, 'algorithms'>;
  },
): Promise<readonly Finding[]> {
  const uploaded = parseJsonObject(new TextEncoder().encode(jwksJson));
  const imported = uploaded.ok ? importKeySet(uploaded.value) : undefined;
  if (imported?.ok !== true) return [wrong('uploaded keys', 'jwksJson is no key set', FIX)];
  const { keys } = imported.value;
  return [
    await signatureFinding(o.token, keys, { check: 'uploaded keys', cloud: o.cloud, fix: FIX }),
    comparison(keys, o.published),
  ];
}

function comparison(uploaded: readonly VerificationKey[], published: readonly JsonObject[] | undefined): Finding {
  const imported = published === undefined ? undefined : importKeySet({ keys: [...published] });
  if (imported?.ok !== true) return unseen('same keys', 'the issuer’s were not had, so they cannot be compared');
  const { keys } = imported.value;
  const lacking = idsOf(keys.filter((key) => !uploaded.some((one) => isSame(one, key))));
  if (lacking !== '')
    return wrong('same keys', `published and not uploaded: ${lacking}; what it signs is refused`, FIX);
  const gone = idsOf(uploaded.filter((key) => !keys.some((one) => isSame(one, key))));
  if (gone !== '')
    return wrong('same keys', `uploaded and not published any more: ${gone}; Google still takes it`, FIX);
  return holds('same keys', `${keys.length} of ${keys.length} that the issuer publishes`);
}

const isSame = (one: VerificationKey, other: VerificationKey): boolean =>
  one.kid === other.kid && one.material.equals(other.material);

const idsOf = (keys: readonly VerificationKey[]): string =>
  keys.map(({ kid }) => kid ?? 'a key without an id').join(', ');
