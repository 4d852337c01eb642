// Issuers that give tokens to everybody, with what tells their tenants apart: data. AWS refuses a role that trusts one of them
// without such a condition (its identity-provider controls); the claims beyond AWS's own table are ids that the same tokens carry.

/** By provider (host and path): the claims of which one must be limited; a name with a colon is a key of its own. */
export const SHARED_ISSUERS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'token.actions.githubusercontent.com',
    [
      'sub',
      'repository',
      'repository_id',
      'repository_owner',
      'repository_owner_id',
      'enterprise_id',
      'job_workflow_ref',
    ],
  ],
  ['vstoken.actions.githubusercontent.com', ['sub']],
  ['oidc-configuration.audit-log.githubusercontent.com', ['sub']],
  ['gitlab.com', ['sub', 'project_id', 'namespace_id', 'project_path', 'namespace_path']],
  ['agent.buildkite.com', ['sub', 'organization_id', 'pipeline_id']],
  ['app.terraform.io', ['sub', 'terraform_organization_id', 'terraform_project_id', 'terraform_workspace_id']],
  ['oidc.codefresh.io', ['sub']],
  ['studio.datachain.ai/api', ['sub']],
  ['scalr.io', ['sub']],
  ['tokens.cloud.shisho.dev', ['sub']],
  ['proidc.upbound.io', ['sub']],
  ['api.pulumi.com/oidc', ['aud', 'sub']],
  ['oidc.vercel.com', ['aud', 'sub']],
  ['sandboxes.cloud', ['aud', 'sub']],
  ['cognito-identity.amazonaws.com', ['aud']],
  ['accounts.google.com', ['aud', 'sub', 'email']],
  ['sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d', ['sts:RoleSessionName']],
]);
