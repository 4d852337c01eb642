// The principals of AWS trust policies: which texts AWS takes, and which issuers a federated one stands for.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import type { AwsStatement, FederatedProvider } from '../trust/aws-statement.ts';

/** What a statement says about who it is for. */
export type Principals = Pick<AwsStatement, 'providers' | 'principals'> & {
  /** `"AWS": "*"`: everybody. */
  readonly everyone: boolean;
};

const PROVIDER_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider\/(.+)$/;
/** The same where Ceph RGW's tenant stands in the place of an account: a name, or none. */
const TENANT_PROVIDER_ARN = /^arn:aws:iam::[A-Za-z0-9_]*:oidc-provider\/(.+)$/;
const SAML_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider\/[A-Za-z0-9._-]{1,128}$/;
/** CreateOpenIDConnectProvider: Url is at most 255 characters. A port is for test servers; AWS refuses one. */
const PROVIDER =
  /^(\[[0-9A-Fa-f:]+\]|localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~!$&'()+,;=:@%/-]*)?$/;
const MAX_PROVIDER_CHARS = 255;
const LOOPBACK = /^(?:localhost|127\.[0-9.]+|\[::1\])$/;
/** Providers that AWS has built in. The last two speak OAuth 2 only: no ID token is theirs. */
const BUILT_IN: ReadonlyMap<string, readonly string[]> = new Map([
  ['accounts.google.com', ['https://accounts.google.com']],
  ['cognito-identity.amazonaws.com', ['https://cognito-identity.amazonaws.com']],
  ['graph.facebook.com', []],
  ['www.amazon.com', []],
]);

const AWS_PRINCIPAL = /^(?:\*|[0-9]{12}|arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:\S+|[A-Z0-9]{16,128})$/;
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

export interface PrincipalReading {
  readonly report: Report;
  readonly at: DocumentPath;
  /** Issuers beyond which none is meant: tells whether a provider on a loopback address is one over http. */
  readonly allowedIssuers: readonly string[] | undefined;
  /** The policy is for an STS that has no AWS accounts. */
  readonly anyAccount?: boolean | undefined;
}

/** Reads the Principal of a statement, in AWS's own words where something is wrong. */
export function readPrincipals(value: JsonValue, reading: PrincipalReading): Principals {
  const { report, at } = reading;
  const none = { providers: [], principals: [], everyone: false };
  if (!isJsonObject(value)) {
    report(at, 'MalformedPolicyDocument: Principal must be a JSON object.');
    return none;
  }
  const kinds = Object.entries(value);
  if (kinds.length === 0) report(at, 'MalformedPolicyDocument: Missing required field Principal cannot be empty!');
  const found = kinds.flatMap(([kind, names]) => readKind(kind, names, reading));
  return {
    providers: found.flatMap((one) =>
      one.issuers === undefined ? [] : [{ principal: one.principal, issuers: one.issuers }],
    ),
    principals: found.map((one) => one.principal),
    everyone: found.some((one) => one.principal === '*'),
  };
}

type Found = { readonly principal: string; readonly issuers?: readonly string[] };

function readKind(kind: string, names: JsonValue, reading: PrincipalReading): readonly Found[] {
  const { report, at } = reading;
  const place = [...at, kind];
  if (kind !== 'Federated' && kind !== 'AWS' && kind !== 'Service') {
    report(
      place,
      `MalformedPolicyDocument: Invalid principal in policy: "${kind.slice(0, 64)}"`,
      'Federated, AWS or Service',
    );
    return [];
  }
  const listed = Array.isArray(names);
  const all: readonly JsonValue[] = listed ? names : [names];
  if (all.length === 0) report(place, 'MalformedPolicyDocument: Missing required field Principal cannot be empty!');
  return all.flatMap((name, index) => {
    const found = typeof name === 'string' ? readName(kind, name, reading) : undefined;
    if (found !== undefined) return [found];
    const path = listed ? [...place, index] : place;
    const shown = typeof name === 'string' ? name.slice(0, 128) : 'not a text';
    report(
      path,
      `MalformedPolicyDocument: Invalid principal in policy: "${kind.toUpperCase()}":"${shown}"`,
      hintFor(kind),
    );
    return [];
  });
}

const hintFor = (kind: string): string =>
  kind === 'Federated'
    ? 'arn:aws:iam::<account, 12 digits>:oidc-provider/<host/path, without https://>'
    : `a principal of ${kind}`;

function readName(
  kind: 'Federated' | 'AWS' | 'Service',
  name: string,
  { allowedIssuers, anyAccount }: PrincipalReading,
): Found | undefined {
  if (kind !== 'Federated')
    return (kind === 'AWS' ? AWS_PRINCIPAL : SERVICE).test(name) ? { principal: name } : undefined;
  if (SAML_ARN.test(name)) return { principal: name };
  const issuers =
    BUILT_IN.get(name) ??
    issuersOf((anyAccount === true ? TENANT_PROVIDER_ARN : PROVIDER_ARN).exec(name)?.[1], allowedIssuers);
  return issuers === undefined ? undefined : ({ principal: name, issuers } satisfies FederatedProvider);
}

/** The provider's URL with its scheme back: https, and on a loopback address http too, as `serve --dev` has it. */
function issuersOf(
  provider: string | undefined,
  allowed: readonly string[] | undefined,
): readonly string[] | undefined {
  if (provider === undefined || provider.length > MAX_PROVIDER_CHARS) return undefined;
  const host = PROVIDER.exec(provider)?.[1];
  if (host === undefined) return undefined;
  const issuers = LOOPBACK.test(host) ? [`https://${provider}`, `http://${provider}`] : [`https://${provider}`];
  const within = issuers.filter((issuer) => allowed?.includes(issuer));
  // With none allowed the first one stays, so that the ceiling has something to refuse.
  return within.length > 0 || allowed === undefined ? (allowed === undefined ? issuers : within) : issuers.slice(0, 1);
}
