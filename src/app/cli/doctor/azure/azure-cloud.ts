// Microsoft Entra, and services that speak like its token endpoint, as the doctor knows them (cloud-wire §3.3).
import type { JsonValue } from '../../../../base/core/json.ts';
import { ISSUER_ALGORITHMS } from '../../../../base/jwt/algorithms.ts';
import { MAX_AZURE_TEXT_CHARS } from '../../../../policy/readers/azure.ts';
import type { Cloud } from '../cloud.ts';
import { algorithmFinding, subjectFinding, timesFinding } from '../token-findings.ts';
import { readKeysFinding } from './azure-keys.ts';
import { azureTrustFindings } from './azure-trust.ts';

const NAME = 'Azure';
const ALGORITHMS: readonly string[] = ['RS256'];

/** The checks of Azure. `document`: the file with the credentials, for how many there are. */
export function azureCloud(o: { readonly isItself: boolean; readonly document: JsonValue }): Cloud {
  const { document, isItself } = o;
  return {
    id: 'azure',
    name: NAME,
    isItself,
    page: 'docs/integrations/azure.md',
    document: 'the credential',
    issuerFix:
      'iss and the credential’s issuer must be one text, to the last character: case and a slash at the end count',
    issuerForm: { refused: ['http'], taken: 'https alone' },
    algorithms: isItself ? ALGORITHMS : ISSUER_ALGORITHMS,
    fetchesKeys: true,
    wantsThumbprints: false,
    tokenFindings: ({ claims, header }, now) => [
      algorithmFinding(header.alg, { name: NAME, isItself, algorithms: ALGORITHMS }),
      timesFinding(claims, now),
      subjectFinding(claims, { name: NAME, minChars: 1, maxChars: MAX_AZURE_TEXT_CHARS }),
    ],
    trustFindings: (role, claims) => azureTrustFindings(role, { claims, document }),
    keyFindings: async (published, token) =>
      published === undefined || !isItself ? [] : [readKeysFinding(published, token)],
  };
}
