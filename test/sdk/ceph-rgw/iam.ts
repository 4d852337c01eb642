// The few calls of AWS IAM that a role for web identities takes, as Ceph RGW speaks them. It judges no answer.
import aws4 from 'aws4';
import type { CephUser } from './cluster.ts';

/** What a call was answered. */
interface IamAnswer {
  readonly status: number;
  readonly body: string;
}

/** A signed IAM call. Nothing in it is encoded as `+`: RGW takes that for a plus sign. */
async function callIam(url: string, user: CephUser, parameters: Readonly<Record<string, string>>): Promise<IamAnswer> {
  const body = Object.entries({ ...parameters, Version: '2010-05-08' })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  const { host } = new URL(url);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const request = { service: 'iam', region: 'us-east-1', host, method: 'POST', path: '/', headers, body };
  const signed = aws4.sign(request, { accessKeyId: user.accessKeyId, secretAccessKey: user.secretAccessKey });
  const answer = await fetch(`${url}/`, { method: 'POST', headers: signed.headers as Record<string, string>, body });
  return { status: answer.status, body: await answer.text() };
}

async function change(url: string, user: CephUser, parameters: Readonly<Record<string, string>>): Promise<void> {
  const { status, body } = await callIam(url, user, parameters);
  if (status !== 200) throw new Error(`${parameters.Action}: ${status} ${body}`);
}

export interface ProviderOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** SHA-1 of certificates, hex. */
  readonly thumbprints: readonly string[];
}

/** Registers an OIDC provider. */
export const createProvider = (url: string, user: CephUser, o: ProviderOptions): Promise<void> =>
  change(url, user, {
    Action: 'CreateOpenIDConnectProvider',
    Url: o.issuer,
    ...listed('ClientIDList', o.audiences),
    ...listed('ThumbprintList', o.thumbprints),
  });

/** Registers it anew: RGW changes no provider. */
export async function replaceProvider(url: string, user: CephUser, o: ProviderOptions): Promise<void> {
  await change(url, user, {
    Action: 'DeleteOpenIDConnectProvider',
    OpenIDConnectProviderArn: providerArn(user, o.issuer),
  });
  await createProvider(url, user, o);
}

const listed = (name: string, values: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(values.map((value, index) => [`${name}.member.${index + 1}`, value]));

/** The name of an issuer in policies: its URL without the scheme. */
export const providerName = (issuer: string): string => issuer.replace(/^https?:\/\//, '');

export const providerArn = (user: CephUser, issuer: string): string =>
  `arn:aws:iam::${user.tenant}:oidc-provider/${providerName(issuer)}`;

export interface RoleOptions {
  readonly name: string;
  readonly trust: object;
  /** What its sessions may do; without it nothing. */
  readonly permissions?: object;
  readonly maxSessionSeconds?: number;
}

/** Creates a role and gives its ARN. */
export async function createRole(url: string, user: CephUser, o: RoleOptions): Promise<string> {
  await change(url, user, {
    Action: 'CreateRole',
    RoleName: o.name,
    Path: '/',
    AssumeRolePolicyDocument: JSON.stringify(o.trust),
    ...(o.maxSessionSeconds === undefined ? {} : { MaxSessionDuration: String(o.maxSessionSeconds) }),
  });
  if (o.permissions !== undefined) {
    const PolicyDocument = JSON.stringify(o.permissions);
    await change(url, user, { Action: 'PutRolePolicy', RoleName: o.name, PolicyName: 'artifacts', PolicyDocument });
  }
  return `arn:aws:iam::${user.tenant}:role/${o.name}`;
}
