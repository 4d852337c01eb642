// Roles for tests, made by the real reader from a few lines of YAML.
import { formatProblems } from '../../src/base/document/problem.ts';
import { readRole } from '../../src/policy/readers/jobpass.ts';
import type { Ceiling, Role } from '../../src/policy/role.ts';

export const ISSUER = 'https://ci.example.com';

/** The Azure tenant of `main`. */
export const AZURE_TENANT = '11111111-2222-4333-8444-555555555555';

/** A ceiling that takes in everything the tests ask for. */
export const wideCeiling = (tenant = 'main'): Ceiling => ({
  tenant,
  issuers: [ISSUER, 'https://other.example.com'],
  actions: ['http:*', 's3:*'],
  resources: ['arn:jobpass:http:::*', 'arn:aws:s3:::*'],
  gateways: ['artifacts', 'packages'],
  maxDurationSeconds: 3600,
  awsAccounts: [tenant === 'main' ? '000000000042' : '000000000043'],
  gcpProjects: [tenant === 'main' ? '42' : '43'],
  azureTenants: [tenant === 'main' ? AZURE_TENANT : 'other.example.com'],
});

/** A policy file: `trust`, `permissions`, `gcp` and `azure` as YAML (flow style) below the usual head. */
export const roleText = (options: {
  name?: string;
  trust: string;
  gateway?: string;
  permissions?: string;
  roleArn?: string;
  gcp?: string;
  azure?: string;
}): string =>
  [
    `role: ${options.name ?? 'publish-web'}`,
    `trust: ${options.trust}`,
    `session: { gateway: ${options.gateway ?? 'artifacts'}, max_duration: 30m }`,
    `permissions: ${options.permissions ?? '[{ effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::artifacts/*"] }]'}`,
    ...(options.roleArn === undefined ? [] : [`aws: { role_arn: "${options.roleArn}" }`]),
    ...(options.gcp === undefined ? [] : [`gcp: ${options.gcp}`]),
    ...(options.azure === undefined ? [] : [`azure: ${options.azure}`]),
  ].join('\n');

/** The role of `roleText`. Throws with the problems when it is refused. */
export function makeRole(options: {
  tenant?: string;
  name?: string;
  trust: string;
  gateway?: string;
  permissions?: string;
  roleArn?: string;
  gcp?: string;
  azure?: string;
}): Role {
  const tenant = options.tenant ?? 'main';
  const file = `${tenant}/${options.name ?? 'publish-web'}.yaml`;
  const role = readRole({ tenant, file, text: roleText(options) }, wideCeiling(tenant));
  if (!role.ok) throw new Error(formatProblems(role.error));
  return role.value;
}
