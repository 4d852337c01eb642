// The first role of a new project and its test: what `jobpass init` leaves for people to start from.
import { join } from 'node:path';
import type { NamedId } from '../../base/identity/facts.ts';
import { writePublicFile } from './private-files.ts';

export interface FirstRole {
  readonly name: string;
  readonly issuerUrl: string;
  readonly owner: NamedId;
  readonly pipeline: NamedId;
}

/** Writes the role and its test into the policies folder of `folder`; the paths come back, relative to it. */
export function writeFirstRole(folder: string, role: FirstRole): readonly string[] {
  const paths = [`policies/main/${role.name}.yaml`, `policies/main/${role.name}.test.yaml`] as const;
  writePublicFile(join(folder, paths[0]), roleText(role));
  writePublicFile(join(folder, paths[1]), testText(role));
  return paths;
}

const roleText = (role: FirstRole): string => `role: ${role.name}
trust:
  - issuer: ${role.issuerUrl}
    claims:
      owner_id: ${JSON.stringify(role.owner.id)}
      pipeline_id: ${JSON.stringify(role.pipeline.id)}
      ref: refs/heads/main
      environment: production
session: { gateway: artifacts, max_duration: 10m }
permissions:
  - { effect: allow, actions: ["http:GET", "http:PUT"], resources: ["arn:jobpass:http:::artifacts/\${claims.pipeline_id}/*"] }
`;

const testText = (role: FirstRole): string => {
  const claims = `owner_id: ${JSON.stringify(role.owner.id)}, pipeline_id: ${JSON.stringify(role.pipeline.id)}`;
  return `tests:
  - name: the production job of main may deploy
    role: ${role.name}
    issuer: ${role.issuerUrl}
    claims: { ${claims}, ref: refs/heads/main, environment: production }
    expect: allow
  - name: another branch may not
    role: ${role.name}
    issuer: ${role.issuerUrl}
    claims: { ${claims}, ref: refs/heads/feature, environment: production }
    expect: deny
`;
};
