// What the credentials of an Azure application say of the token, in Entra's words, and what of Azure cannot be seen from here. Pure.
import { type Claims, type JsonValue, stringMember } from '../../../../base/core/json.ts';
import { entriesAt } from '../../../../base/document/value-at.ts';
import type { RoleExplanation } from '../../../../policy/explain.ts';
import { MAX_AZURE_CREDENTIALS } from '../../../../policy/readers/azure.ts';
import { type Finding, holds, unseen } from '../finding.ts';
import { audienceFinding, policyFinding } from '../trust-findings.ts';

/** Every check that needs the credentials; `role` was explained for the token. `document`: the file that holds them. */
export const azureTrustFindings = (
  role: RoleExplanation,
  o: { readonly claims: Claims; readonly document: JsonValue },
): readonly Finding[] => [
  audienceFinding(role, o.claims, 'the credential'),
  policyFinding(role, fixOf(role, o.claims)),
  countFinding(o.document),
  unseen(
    'application',
    'whether it is in the tenant, has a principal and roles, and its newest credentials work yet',
    'az ad sp show --id CLIENT_ID, az role assignment list --assignee CLIENT_ID',
  ),
];

/** Azure compares the whole subject, so there is but one to write. */
function fixOf({ firstFailure }: RoleExplanation, claims: Claims): string | undefined {
  const { operator, subject } = firstFailure?.clause ?? {};
  const presented = stringMember(claims, 'sub');
  return subject === 'sub' && operator === undefined && presented !== undefined
    ? `a credential of its own with the subject ${presented}`
    : undefined;
}

function countFinding(document: JsonValue): Finding {
  const [list] = [entriesAt(document, []), entriesAt(document, ['value'])].filter(({ length }) => length > 0);
  const most = `of the ${MAX_AZURE_CREDENTIALS} that Azure allows an application`;
  if (list !== undefined) return holds('credentials', `${list.length} ${most}`);
  return unseen('credentials', `how many ${most} are taken`, 'az ad app federated-credential list --id CLIENT_ID');
}
