// The STS section as a plan.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { StsGrant } from '../../base/client-auth/client.ts';
import type { JsonObject } from '../../base/core/json.ts';
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import type { RegisteredGateway, TrustedIssuer } from '../../sts/settings.ts';
import { checkOwnUrl, checkPeerUrl, planServer, seconds } from './defaults.ts';
import type { StsPlan } from './plan.ts';
import { planClients } from './plan-clients.ts';
import type { PlanContext } from './plan-context.ts';
import { planAwsPolicies, planTenants } from './plan-tenants.ts';
import type { StsSection } from './schema.ts';

type GatewayEntry = NonNullable<StsSection['gateways']>[number];

/** The STS as the section and its defaults make it; what is wrong with them stands in `context.problems`. */
export function planSts(section: StsSection, context: PlanContext): StsPlan {
  const { places, problems } = context;
  checkOwnUrl(section.url, ['sts', 'url'], problems);
  const gateways = (section.gateways ?? []).map((gateway, index) => planRegisteredGateway(gateway, index, context));
  checkGateways(section.gateways ?? [], context);
  checkClients(section, context);
  return {
    ...planServer(section, { name: 'sts', url: section.url, path: ['sts'] }, context),
    settings: {
      url: section.url,
      azureAuthority: section.url,
      trustedIssuers: section.trusted_issuers.map((issuer, index) =>
        planTrustedIssuer(section, issuer, index, context),
      ),
      tenants: planTenants(section, context),
      awsPolicies: planAwsPolicies(section, context),
      gateways,
      policiesFolder: resolve(places.folder, section.policies ?? './policies'),
      clockSkewSeconds: context.clockSkew === undefined ? DEFAULT_CLOCK_SKEW_SECONDS : seconds(context.clockSkew),
    },
    clients: planClients(section.clients ?? [], ['sts', 'clients'], problems, stsGrant),
    alsoHttps: null,
    adminSocket: resolve(places.folder, (section.admin ?? 'unix:./run/sts.sock').slice('unix:'.length)),
  };
}

const stsGrant = ({ may }: NonNullable<StsSection['clients']>[number]): StsGrant => ({
  feed: may.feed ?? null,
  read: may.read ?? [],
  evaluate: may.evaluate ?? [],
  introspect: may.introspect ?? [],
  revoke: may.revoke ?? [],
  operate: may.operate ?? false,
  keys: may.keys ?? [],
  audit: may.audit ?? false,
});

function planTrustedIssuer(
  section: StsSection,
  issuer: StsSection['trusted_issuers'][number],
  index: number,
  { places, problems }: PlanContext,
): TrustedIssuer {
  const path = ['sts', 'trusted_issuers', index] as const;
  if (section.trusted_issuers.findIndex((other) => other.issuer === issuer.issuer) !== index)
    problems.add([...path, 'issuer'], 'the issuer is listed twice', 'one entry may name several audiences');
  const network = issuer.network ?? 'public';
  checkPeerUrl({ url: issuer.issuer, network }, [...path, 'issuer'], problems);
  const status = issuer.job_status ?? (issuer.client === undefined ? 'none' : 'feed');
  const base = {
    issuer: issuer.issuer,
    audiences: issuer.audiences ?? [section.url],
    algorithms: issuer.algorithms ?? ['RS256', 'ES256'],
    network,
    maxSessionSeconds: issuer.max_session === undefined ? null : seconds(issuer.max_session),
  };
  if (status === 'none') return { ...base, jobStatus: { kind: 'none' } };
  if (issuer.client === undefined || issuer.secret === undefined) {
    problems.add(path, `job_status ${status} needs to authenticate at the issuer`, 'client and secret');
    return { ...base, jobStatus: { kind: 'none' } };
  }
  const secret = problems.secret([...path, 'secret'], issuer.secret, places);
  return { ...base, jobStatus: { kind: status, client: issuer.client, secret } };
}

function planRegisteredGateway(
  gateway: GatewayEntry,
  index: number,
  { places, problems }: PlanContext,
): RegisteredGateway {
  const publicKeys = gateway.public_keys.flatMap((reference, position) => {
    const key = readPublicKey(resolve(places.folder, reference.slice('file:'.length)));
    if (key === undefined)
      problems.add(
        ['sts', 'gateways', index, 'public_keys', position],
        `${reference} is not a public key`,
        `jobpass keys export --public ${gateway.name} > FILE`,
      );
    return key === undefined ? [] : [key];
  });
  return { name: gateway.name, group: groupOf(gateway), url: gateway.url ?? null, publicKeys };
}

const groupOf = ({ group, name }: GatewayEntry): string => group ?? name;

/** Names are single. Gateways behind one URL serve one resource: were they of two groups, its name would stand for either. */
function checkGateways(gateways: readonly GatewayEntry[], { problems }: PlanContext): void {
  const names = gateways.map(({ name }) => name);
  for (const [index, gateway] of gateways.entries()) {
    if (names.indexOf(gateway.name) !== index)
      problems.add(['sts', 'gateways', index, 'name'], 'two gateways have this name');
    const first = gateways.find(({ url }) => url !== undefined && url === gateway.url);
    if (first !== undefined && groupOf(first) !== groupOf(gateway))
      problems.add(['sts', 'gateways', index, 'url'], `gateway ${first.name} of another group has this URL`);
  }
}

function readPublicKey(path: string): JsonObject | undefined {
  try {
    const jwk = parseJsonObject(readFileSync(path));
    return jwk.ok && jwk.value.kty === 'EC' && !Object.hasOwn(jwk.value, 'd') ? jwk.value : undefined;
  } catch {
    return undefined;
  }
}

/** What clients may is about gateways and groups that there are: a name that is spelt wrongly would be silence. */
function checkClients(section: StsSection, { problems }: PlanContext): void {
  const gateways = section.gateways ?? [];
  const names = new Set(gateways.map(({ name }) => name));
  const groups = new Set(gateways.map(groupOf));
  const hint = 'list it under sts.gateways';
  for (const [index, { may }] of (section.clients ?? []).entries()) {
    const path = ['sts', 'clients', index, 'may'] as const;
    if (may.feed !== undefined && !names.has(may.feed))
      problems.add([...path, 'feed'], 'no gateway of this name is registered', hint);
    for (const [at, group] of (may.introspect ?? []).entries())
      if (!groups.has(group)) problems.add([...path, 'introspect', at], 'no registered gateway is in this group', hint);
  }
}
