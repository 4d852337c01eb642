// AWS, and services that speak like its STS, as the doctor knows them.
import type { JsonValue } from '../../../../base/core/json.ts';
import type { Cloud } from '../cloud.ts';
import { certificateFindings } from './aws-keys.ts';
import { AWS_ALGORITHMS, awsTokenFindings } from './aws-token.ts';
import { awsTrustFindings, roleDescription } from './aws-trust.ts';

/**
 * The checks of AWS. `document`: the file that holds the trust policy, for what it says of the role besides. `fileHasTail`:
 * the token's file ends with white space.
 */
export function awsCloud(o: {
  readonly isItself: boolean;
  readonly document: JsonValue;
  readonly fileHasTail: boolean;
}): Cloud {
  const { fileHasTail, isItself } = o;
  const description = roleDescription(o.document);
  return {
    id: 'aws',
    name: 'AWS',
    isItself,
    page: 'docs/integrations/aws.md',
    document: 'the trust policy',
    issuerFix: 'iss, the provider’s URL and Principal.Federated must be one text, to the last character',
    // CreateOpenIDConnectProvider.
    issuerForm: { refused: ['http', 'a port'], taken: 'https on its own port alone' },
    algorithms: AWS_ALGORITHMS,
    fetchesKeys: true,
    wantsThumbprints: true,
    tokenFindings: (token, now) => awsTokenFindings(token, { isItself, now, fileHasTail }),
    trustFindings: (role) => awsTrustFindings(role, description),
    keyFindings: async (published, token) =>
      isItself || published === undefined ? [] : certificateFindings(published, token),
  };
}
