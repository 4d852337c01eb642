// Calls of AWS STS as functions, signed where they have to be, and what their XML says. No SDK takes part.
import { createHash } from 'node:crypto';
import type { JsonValue } from '../../src/base/core/json.ts';
import { formatAmzDate } from '../../src/base/sigv4/amz-date.ts';
import { signRequest } from '../../src/base/sigv4/sign-request.ts';
import { signingKey } from '../../src/base/sigv4/signature.ts';
import { DEPLOY_ARN } from './aws-role.ts';
import type { StsAnswer, StsWorld } from './sts-world.ts';

/** The text of an element, as it stands in the answer; undefined when there is not exactly one. */
export function memberOf({ text }: StsAnswer, name: string): string | undefined {
  const found = [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))];
  return found.length === 1 ? found[0]?.[1] : undefined;
}

/** Status and code of a refusal. */
export const codeOf = (answer: StsAnswer): readonly [number, string | undefined] => [
  answer.status,
  memberOf(answer, 'Code'),
];

/** A refusal without what differs between any two: its id. */
export const withoutId = (answer: StsAnswer): string =>
  answer.text.replaceAll(memberOf(answer, 'RequestId') ?? '', 'ID');

/** An AssumeRoleWithWebIdentity, with other parameters on top; null leaves one out. */
export function assumeRole(
  world: StsWorld,
  token: string,
  changes: Readonly<Record<string, string | null>> = {},
): Promise<StsAnswer> {
  const form: Record<string, string | null> = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: DEPLOY_ARN,
    RoleSessionName: 'job-1',
    WebIdentityToken: token,
    ...changes,
  };
  const sent = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== null);
  return world.call('POST /', { form: Object.fromEntries(sent) });
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** The credentials of a new session. Throws when the role is not granted. */
export async function assumedCredentials(
  world: StsWorld,
  claims: Readonly<Record<string, JsonValue>> = {},
): Promise<Credentials> {
  const answer = await assumeRole(world, await world.issuer.idToken(claims));
  const member = (name: string): string => {
    const value = memberOf(answer, name);
    if (value === undefined) throw new Error(`no ${name} in ${answer.status} ${answer.text}`);
    return value;
  };
  return {
    accessKeyId: member('AccessKeyId'),
    secretAccessKey: member('SecretAccessKey'),
    sessionToken: member('SessionToken'),
  };
}

/** What of a signed call is bent. */
export interface Bent {
  readonly atSeconds?: number;
  /** Sent instead of what was signed. */
  readonly body?: string;
  /** On top of what was signed; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

const WHO = 'Action=GetCallerIdentity&Version=2011-06-15';

/** A signed GetCallerIdentity as it would be sent: every header but the authorization itself is signed. */
export function signedCall(
  world: StsWorld,
  credentials: Credentials,
  atSeconds = world.clock.nowSeconds(),
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const amzDate = formatAmzDate(atSeconds);
  const scope = { date: amzDate.slice(0, 8), region: 'eu-central-1', service: 'sts' } as const;
  const own = { host: 'sts.example.com', 'content-type': 'application/x-www-form-urlencoded' };
  const headers = new Map(Object.entries(own).map(([name, value]) => [name, [value]]));
  const added = signRequest(
    { method: 'POST', path: '/', query: '', headers },
    {
      accessKeyId: credentials.accessKeyId,
      key: signingKey(credentials.secretAccessKey, scope),
      scope,
      amzDate,
      payloadHash: createHash('sha256').update(WHO).digest('hex'),
      pathEncoding: 'double',
      ...(credentials.sessionToken === null ? {} : { securityToken: credentials.sessionToken }),
    },
  );
  return { headers: { ...own, ...added }, body: WHO };
}

/** The answer to a signed GetCallerIdentity. */
export function callerIdentity(world: StsWorld, credentials: Credentials, bent: Bent = {}): Promise<StsAnswer> {
  const { body, headers } = signedCall(world, credentials, bent.atSeconds);
  const sent = Object.entries({ ...headers, ...bent.headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return world.call('POST /', { raw: bent.body ?? body, headers: Object.fromEntries(sent) });
}
