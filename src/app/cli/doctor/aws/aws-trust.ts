// What an AWS trust policy says of the token, and what the role's description adds.
// Pure.
import { formatDuration } from '../../../../base/core/duration.ts';
import { isJsonObject, type JsonValue } from '../../../../base/core/json.ts';
import { valueAt } from '../../../../base/document/value-at.ts';
import type { RoleExplanation } from '../../../../policy/explain.ts';
import { SOURCE_IDENTITY_ACTION, TAG_SESSION_ACTION } from '../../../../policy/trust/aws-statement.ts';
import { type Finding, holds, unseen, wrong } from '../finding.ts';
import { decisiveRules, policyFinding } from '../trust-findings.ts';

/** Default of an AWS role, and what SDKs ask for when nobody says otherwise. */
const DEFAULT_SESSION_SECONDS = 3600;

/** The role as `aws iam get-role` describes it; `maxSessionSeconds` is absent when the file holds the policy alone. */
export interface RoleDescription {
  readonly maxSessionSeconds?: number;
}

/** What the session attributes of a token need besides being let in. */
const ATTRIBUTE_ACTIONS = [TAG_SESSION_ACTION, SOURCE_IDENTITY_ACTION];

/** Every check that needs the policy. `role` is of an AWS document; it was explained for the token. */
export function awsTrustFindings(role: RoleExplanation, description: RoleDescription): readonly Finding[] {
  const missing = ATTRIBUTE_ACTIONS.filter((action) => isMissing(role, action));
  return [
    awsPolicyFinding(role, missing),
    ...missing.map(missingAction),
    ...audienceFinding(role),
    providerFinding(role),
    durationFinding(description),
  ];
}

/** A statement whose conditions hold and that lacks an action only: the action is a finding of its own. */
function awsPolicyFinding(role: RoleExplanation, missing: readonly string[]): Finding {
  const rules = decisiveRules(role);
  const isOnlyAction = missing.length > 0 && rules.every(({ effect, held }) => held && effect !== 'deny');
  return role.decision === 'deny' && isOnlyAction
    ? holds('trust policy', 'every condition holds')
    : policyFinding(role);
}

/** Whether no statement allows an action that the token's claims need: the engine says so in a rule of one clause. */
const isMissing = ({ trace }: RoleExplanation, action: string): boolean =>
  (trace?.rules ?? []).some(
    ({ clauses: [clause, ...others] }) =>
      others.length === 0 && clause?.outcome === 'failed' && clause.wanted.length === 1 && clause.wanted[0] === action,
  );

/** AWS refuses the whole call when a token brings tags or a source identity that no statement lets it set. */
const missingAction = (action: string): Finding =>
  wrong(
    'action',
    `${action}: the token needs it, and no statement allows it`,
    'add it to the Action of the statement that lets the token in',
  );

function audienceFinding(role: RoleExplanation): readonly Finding[] {
  const clauses = decisiveRules(role).flatMap((rule) => rule.clauses);
  return clauses.some(({ subject }) => subject.toLowerCase().endsWith(':aud'))
    ? []
    : [unseen('aud condition', 'none: the client ids of the provider alone decide, for every role that trusts it')];
}

function providerFinding(role: RoleExplanation): Finding {
  const principals = decisiveRules(role).flatMap((rule) =>
    rule.clauses.filter(({ operator }) => operator === 'Principal'),
  );
  const arn = principals.flatMap(({ wanted }) => wanted).find((one) => one.includes(':oidc-provider/')) ?? 'ARN';
  const look = `aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${arn}`;
  return unseen('provider', 'which client ids and thumbprints are registered', look);
}

function durationFinding({ maxSessionSeconds }: RoleDescription): Finding {
  if (maxSessionSeconds === undefined)
    return unseen('session', 'how long it may be: the policy alone does not tell', 'aws iam get-role --role-name NAME');
  const most = formatDuration(maxSessionSeconds);
  return maxSessionSeconds >= DEFAULT_SESSION_SECONDS
    ? holds('session', `up to ${most}; SDKs ask for 1 h`)
    : wrong(
        'session',
        `up to ${most}, and SDKs ask for 1 h`,
        'raise MaxSessionDuration to 3600, or set duration_seconds',
      );
}

const DESCRIPTIONS = [['Role'], ['Roles', 0], []] as const;

/** What a file that `aws iam get-role` printed says of the role besides its trust policy. */
export function roleDescription(value: JsonValue): RoleDescription {
  for (const place of DESCRIPTIONS) {
    const role = valueAt(value, place);
    const seconds =
      isJsonObject(role) && Object.hasOwn(role, 'MaxSessionDuration') ? role.MaxSessionDuration : undefined;
    if (typeof seconds === 'number') return { maxSessionSeconds: seconds };
  }
  return {};
}
