// The parameters of AssumeRoleWithWebIdentity, validated as AWS does. It verifies no token, finds no role, reads no policy.
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseAwsRoleArn } from '../../base/credential/aws-arn.ts';
import { withoutTrailingSpace } from '../../base/jwt/pasted.ts';
import { numberProblems, type TextShape, textProblems, unsatisfied, validationError } from './constraints.ts';
import { type AwsRefusal, openRefusal } from './fault.ts';

/** One AssumeRoleWithWebIdentity. */
export interface AssumeRoleCall {
  readonly action: 'AssumeRoleWithWebIdentity';
  /** `arn:aws:iam::<12 digits>:role/<path and name>`. */
  readonly roleArn: string;
  readonly sessionName: string;
  /** One identity token, without the white space that files and shells leave at its end. */
  readonly token: string;
  readonly askedSeconds: number;
  /** The inline session policy as text; null: none. */
  readonly policy: string | null;
  /** The named session policies, in their order. */
  readonly policyArns: readonly string[];
}

/** What a client gets that asks for no duration; the role and the job's deadline may still shorten it. */
const DEFAULT_DURATION_SECONDS = 3600;
const DURATION = { member: 'durationSeconds', min: 900, max: 43_200 } as const;
const MAX_POLICY_ARNS = 10;

const ARN_CHARACTERS = {
  matches: /^[\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd]+$/,
  shown: '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+',
} as const;
const ROLE_ARN: TextShape = { member: 'roleArn', minChars: 20, maxChars: 2048, pattern: ARN_CHARACTERS };
const SESSION_NAME: TextShape = {
  member: 'roleSessionName',
  minChars: 2,
  maxChars: 64,
  pattern: { matches: /^[A-Za-z0-9_+=,.@-]*$/, shown: '[\\w+=,.@-]*' },
};
const TOKEN: TextShape = { member: 'webIdentityToken', minChars: 4, maxChars: 20_000 };
const POLICY: TextShape = {
  member: 'policy',
  minChars: 1,
  maxChars: 2048,
  pattern: { matches: /^[\t\n\r\u0020-\u00ff]+$/, shown: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' },
};
const POLICY_ARN: Omit<TextShape, 'member'> = { minChars: 20, maxChars: 2048, pattern: ARN_CHARACTERS };

const POLICY_ARN_NAME = /^PolicyArns\.member\.([1-9][0-9]{0,2})\.arn$/;

const PARAMETERS = new Set([
  'Action',
  'Version',
  'RoleArn',
  'RoleSessionName',
  'WebIdentityToken',
  'DurationSeconds',
  'Policy',
  'PolicyArns',
]);

/**
 * The call in a form whose names stand once each. Every problem with the bounds is told at once. A parameter that
 * AssumeRoleWithWebIdentity does not have is refused: the caller would get something else than it asked for.
 */
export function decodeAssumeRole(form: ReadonlyMap<string, string>): Result<AssumeRoleCall, AwsRefusal> {
  const unserved = unservedParameter(form);
  if (unserved !== undefined) return err(unserved);
  const duration = readDuration(form.get('DurationSeconds'));
  if (!duration.ok) return duration;
  const policyArns = readPolicyArns(form);
  if (!policyArns.ok) return policyArns;
  const roleArn = form.get('RoleArn');
  const sessionName = form.get('RoleSessionName');
  const sent = form.get('WebIdentityToken');
  const token = sent === undefined ? undefined : withoutTrailingSpace(sent);
  const policy = form.get('Policy') ?? null;
  const problems = [
    ...textProblems(roleArn, ROLE_ARN),
    ...textProblems(sessionName, SESSION_NAME),
    ...textProblems(token, TOKEN),
    ...policyArnProblems(policyArns.value),
    ...(policy === null ? [] : textProblems(policy, POLICY)),
    ...numberProblems(duration.value, DURATION),
  ];
  if (roleArn === undefined || sessionName === undefined || token === undefined || problems.length > 0) {
    return err(validationError(problems));
  }
  if (parseAwsRoleArn(roleArn) === undefined) {
    return err(openRefusal('target_malformed', 'ValidationError', 'RoleArn is not the ARN of an IAM role'));
  }
  const call = { roleArn, sessionName, token, policy, policyArns: policyArns.value, askedSeconds: duration.value };
  return ok({ action: 'AssumeRoleWithWebIdentity', ...call });
}

function unservedParameter(form: ReadonlyMap<string, string>): AwsRefusal | undefined {
  if (form.has('ProviderId')) {
    const message = 'ProviderId is for OAuth 2.0 access tokens; an OpenID Connect token names its own provider';
    return openRefusal('request_malformed', 'ValidationError', message);
  }
  const unknown = [...form.keys()].find((name) => !PARAMETERS.has(name) && !POLICY_ARN_NAME.test(name));
  if (unknown === undefined) return undefined;
  const named = /^[A-Za-z0-9.]{1,64}$/.test(unknown) ? unknown : 'One parameter';
  const message = `${named} is not a parameter of AssumeRoleWithWebIdentity`;
  return openRefusal('request_malformed', 'ValidationError', message);
}

/** AWS's reader takes a 32-bit integer, also with a sign or leading zeros; all else is no number to it. */
function readDuration(text: string | undefined): Result<number, AwsRefusal> {
  if (text === undefined) return ok(DEFAULT_DURATION_SECONDS);
  const value = /^[+-]?[0-9]{1,20}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= -(2 ** 31) && value < 2 ** 31) return ok(value);
  return err(openRefusal('request_malformed', 'MalformedInput', 'DurationSeconds is not an integer'));
}

/** `PolicyArns.member.1.arn`, `.2.arn` and so on without a gap; `PolicyArns=` is how clients write an empty list. */
function readPolicyArns(form: ReadonlyMap<string, string>): Result<readonly string[], AwsRefusal> {
  const malformed = (message: string) => err(openRefusal('request_malformed', 'MalformedInput', message));
  if ((form.get('PolicyArns') ?? '') !== '') return malformed('PolicyArns is a list');
  const count = [...form.keys()].filter((name) => POLICY_ARN_NAME.test(name)).length;
  const arns: string[] = [];
  for (let index = 1; index <= count; index += 1) {
    const arn = form.get(`PolicyArns.member.${index}.arn`);
    if (arn === undefined) return malformed('PolicyArns is not numbered from 1 without gaps');
    arns.push(arn);
  }
  return ok(arns);
}

function policyArnProblems(arns: readonly string[]): readonly string[] {
  if (arns.length > MAX_POLICY_ARNS) {
    return [unsatisfied('policyArns', `have length less than or equal to ${MAX_POLICY_ARNS}`)];
  }
  return arns.flatMap((arn, index) =>
    textProblems(arn, { ...POLICY_ARN, member: `policyArns.${index + 1}.member.arn` }),
  );
}
