// A role that AWS clients can assume, in a policies folder in memory.
import { roleText } from './roles.ts';
import { MemoryPolicies } from './sts-world.ts';

export const DEPLOY_ARN = 'arn:aws:iam::000000000042:role/teams/deploy';

/** Trusts pipeline 7 of owner 42 on main, and lets it write its own prefix. */
const DEPLOY_TEXT = roleText({
  name: 'deploy',
  trust: '[{ issuer: "https://ci.example.com", claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]',
  permissions: `[{ effect: allow, actions: ["s3:GetObject", "s3:PutObject"], resources: ["arn:aws:s3:::web/\${claims.pipeline_id}/*"] }]`,
  roleArn: DEPLOY_ARN,
});

/** The folder with the role `main/deploy`, changed by `bend` if need be. */
export function deployPolicies(bend: (text: string) => string = (text) => text): MemoryPolicies {
  const policies = new MemoryPolicies();
  policies.files.set('main/deploy.yaml', bend(DEPLOY_TEXT));
  return policies;
}
