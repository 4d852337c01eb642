// The kinds of text in jobpass.yaml, each as a schema that says what was wanted. What stands where is schema.ts's business.
import * as z from 'zod';
import { parseRange } from '../../base/address/address.ts';
import { NAME } from '../../base/core/decision.ts';
import { parseDuration } from '../../base/core/duration.ts';
import { parseAzureTenant } from '../../base/credential/azure-names.ts';

/** Names of servers, groups, clients and tenants. */
export const name = () => z.string().regex(NAME, 'a name of lower-case letters, digits and "-", at most 63 characters');

/** A duration of at most `maxSeconds`, which people read as `maxText`. */
export const duration = (maxSeconds: number, maxText: string) =>
  z.string().refine(
    (text) => {
      const seconds = parseDuration(text);
      return seconds !== undefined && seconds <= maxSeconds;
    },
    { error: `a duration such as 45s, 30m or 2h, at most ${maxText}` },
  );

/** Likewise, or `never`. */
export const durationOrNever = (maxSeconds: number, maxText: string) =>
  z.string().refine((text) => text === 'never' || (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= maxSeconds, {
    error: `a duration such as 30d, at most ${maxText}, or never`,
  });

/** Addresses, as one or as a range. */
export const addressRange = () =>
  z.string().refine((text) => parseRange(text) !== undefined, { error: 'an address or a range such as 10.0.0.0/8' });

/** Where a server listens. */
export const listen = () => z.string().refine(isListenAddress, { error: 'host:port, port 1–65535, or [ipv6]:port' });

/** A URL that paths are appended to. */
export const origin = () =>
  z.string().refine(isServerUrl, { error: 'an http or https URL without a trailing slash, query or fragment' });

/** No path: the guard forwards the very path that was decided on, so there is no room for a base before it. */
export const bareOrigin = () =>
  z.string().refine(isBareOrigin, { error: 'an http or https origin without a path, such as http://127.0.0.1:9000' });

/** Where a secret is read from; none stands in the file itself. */
export const secretReference = () =>
  z
    .string()
    .regex(
      /^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*|credential:[A-Za-z0-9._-]+)$/,
      'file:PATH, env:NAME or credential:NAME',
    );

/** A database, or where its URL is read from when a password stands in it. */
export const databaseUrl = () =>
  z
    .string()
    .regex(
      /^(sqlite:.+|postgres(ql)?:\/\/.+|file:.+|env:[A-Za-z_][A-Za-z0-9_]*|credential:[A-Za-z0-9._-]+)$/,
      'sqlite:PATH, postgres://USER@HOST/DATABASE, or file:PATH, env:NAME, credential:NAME of such a URL',
    );

/** The `aud` of tokens (RFC 7519 §4.1.3). */
export const audience = () => z.string().min(1).max(255);
/** An account, whose leading zeros count. */
export const awsAccount = () => z.string().regex(/^[0-9]{12}$/, 'an AWS account: 12 digits, in quotes');

/** A project by its number. */
export const gcpProject = () => z.string().regex(/^[0-9]{1,20}$/, 'the number of a Google Cloud project, in quotes');

/** A tenant of Azure. */
export const azureTenant = () =>
  z
    .string()
    .refine((text) => parseAzureTenant(text) !== undefined, { error: 'an Azure tenant: a GUID or a domain name' });

/** The name of a policy in AWS. */
export const awsPolicyArn = () =>
  z
    .string()
    .regex(
      /^arn:aws:iam::(?:[0-9]{12}|aws):policy\/(?:[!-.0-~]+\/)*[A-Za-z0-9_+=,.@-]{1,128}$/,
      'arn:aws:iam::ACCOUNT:policy/NAME, or …::aws:policy/NAME',
    );
/** A bucket as every S3 would let it be called, without dots. */
export const bucketName = () =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'a bucket name: 3 to 63 lower-case letters, digits and "-"');

/** `host:port` or `[ipv6]:port` in parts; undefined when it is neither. */
export function parseListen(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port };
}

function isListenAddress(text: string): boolean {
  return parseListen(text) !== undefined;
}

function isBareOrigin(text: string): boolean {
  return isServerUrl(text) && new URL(text).origin === text;
}

function isServerUrl(text: string): boolean {
  if (!URL.canParse(text) || text.endsWith('/')) return false;
  const url = new URL(text);
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return (
    plain &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    `${url.origin}${url.pathname === '/' ? '' : url.pathname}` === text
  );
}
