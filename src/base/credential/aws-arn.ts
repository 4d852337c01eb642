// Names of AWS roles and of the sessions that assume them. It only reads and writes names; who may assume what is policy.
import { hash } from 'node:crypto';

/** A role's ARN taken apart. */
export interface AwsRoleArn {
  /** Twelve digits. */
  readonly account: string;
  /** Without the path. One account has each name once, whatever the path and the case (IAM, CreateRole). */
  readonly name: string;
}

// IAM: a path is segments of printable ASCII; a role's name is 1 to 64 of these; an ARN is 20 to 2,048 characters.
const ROLE_ARN = /^arn:aws:iam::([0-9]{12}):role(?:\/[!-.0-~]+)*\/([A-Za-z0-9_+=,.@-]{1,64})$/;
const MIN_ARN_CHARS = 20;
const MAX_ARN_CHARS = 2048;

/** Account and name of `arn:aws:iam::<12 digits>:role/[path/]name`; undefined for anything else. Case counts. */
export function parseAwsRoleArn(arn: string): AwsRoleArn | undefined {
  if (arn.length < MIN_ARN_CHARS || arn.length > MAX_ARN_CHARS) return undefined;
  const [, account, name] = ROLE_ARN.exec(arn) ?? [];
  return account === undefined || name === undefined ? undefined : { account, name };
}

/** The same text for two ARNs that AWS would not let stand side by side: one account, one name whatever its path and case. */
export function awsRoleKey(arn: string): string | undefined {
  const role = parseAwsRoleArn(arn);
  return role === undefined ? undefined : `${role.account}/${role.name.toLowerCase()}`;
}

/** AWS STS: roleSessionNameType, 2 to 64 of `[\w+=,.@-]`. */
export const isAwsSessionName = (text: string): boolean => /^[A-Za-z0-9_+=,.@-]{2,64}$/.test(text);

/** Upper-case letters and digits 2 to 7 (RFC 4648 §6): the characters of AWS's ids, 32 of them, so that no byte is favoured. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** `length` (at most 32) characters that follow from `text`; `purpose` keeps the ids of different things apart. */
export function derivedId(purpose: string, text: string, length: number): string {
  const digest = hash('sha256', `jobpass ${purpose}\0${text}`, 'buffer');
  let id = '';
  for (const byte of digest.subarray(0, length)) id += ALPHABET[byte & 31];
  return id;
}

/** `AROA…:<session name>`: always the same for one role's ARN. */
export const assumedRoleId = (roleArn: string, sessionName: string): string =>
  `AROA${derivedId('aws role id', roleArn, 17)}:${sessionName}`;

/** `arn:aws:sts::<account>:assumed-role/<name>/<session name>`; the role's path is left out, as AWS does. */
export function assumedRoleArn(roleArn: string, sessionName: string): string {
  const role = parseAwsRoleArn(roleArn);
  // Precondition: the ARN was checked where it came in. One that was not must never become somebody's name.
  if (role === undefined) throw new TypeError('not the ARN of a role');
  return `arn:aws:sts::${role.account}:assumed-role/${role.name}/${sessionName}`;
}
