// The three servers for Azure's clients of objects, and one job whose token they sign in with.
import { join } from 'node:path';
import { expect } from 'vitest';
import { requireClient } from '../../clients.ts';
import { BLOB_ACCOUNT, type S3Servers, type S3ServersOptions, startS3Servers } from '../../e2e/s3-servers.ts';
import { askIdToken, type StartedJob, startJob } from '../../e2e/three-servers.ts';
import { makePrivateCa } from '../../fakes/private-ca.ts';
import { ClientHome, runClient } from '../client-processes.ts';
import type { BlobUse } from './program.ts';

const TENANT = '11111111-2222-4333-8444-555555555555';

/** The applications, which are roles. */
export const CLIENTS = {
  deploy: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
  reader: 'bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee',
} as const;

const roleText = (name: keyof typeof CLIENTS, permissions: string): string => `role: ${name}
trust: [{ issuer: ISSUER, claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]
session: { gateway: artifacts, max_duration: 30m }
permissions: [${permissions}]
azure: { tenant: "${TENANT}", client_id: "${CLIENTS[name]}" }
`;

const POLICIES = {
  deploy: roleText(
    'deploy',
    '{ effect: allow, actions: ["s3:*"], resources: ["arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/*"] }',
  ),
  reader: roleText(
    'reader',
    '{ effect: allow, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::artifacts/public/*"] }',
  ),
};

/** What tests of one gateway share. Close it. */
export interface BlobSetting {
  readonly servers: S3Servers;
  /** The file of a new token of a job. */
  tokenFile(of: StartedJob): Promise<string>;
  /** What one use of the client came to, for the job and the role `deploy` unless told otherwise. */
  use(name: string, env?: Readonly<Record<string, string>>): Promise<BlobUse>;
  /** The value of a use that must succeed. */
  done(name: string, env?: Readonly<Record<string, string>>): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts issuer, STS and a gateway with the container `artifacts` over https. */
export async function startBlobSetting(options: Pick<S3ServersOptions, 'upstream'> = {}): Promise<BlobSetting> {
  const home = new ClientHome();
  const ca = makePrivateCa(requireClient('openssl') ?? '', home.folder);
  const servers = await startS3Servers({ tls: ca, buckets: ['artifacts'], policies: POLICIES, ...options });
  const job = await startJob(servers, { environment: undefined });
  let tokens = 0;
  const tokenFile = async (of: StartedJob): Promise<string> => {
    tokens += 1;
    return home.write(`token-${tokens}`, `${String((await askIdToken(servers, of)).body.value)}\n`);
  };
  const use: BlobSetting['use'] = async (name, env = {}) => {
    const run = await runClient(process.execPath, [join(import.meta.dirname, 'program.ts'), name], {
      ...home.variables,
      NODE_EXTRA_CA_CERTS: ca.ca,
      AZURE_AUTHORITY_HOST: servers.urls.sts,
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENTS.deploy,
      AZURE_FEDERATED_TOKEN_FILE: await tokenFile(job),
      BLOB_URL: `${servers.urls.blob}/${BLOB_ACCOUNT}`,
      CONTAINER: 'artifacts',
      WORK_FILE: join(home.folder, 'work'),
      ...env,
    });
    expect(run.stdout, run.stderr).not.toBe('');
    return JSON.parse(run.stdout);
  };
  return {
    servers,
    tokenFile,
    use,
    done: async (...asked) => {
      const ended = await use(...asked);
      if (!ended.ok) throw new Error(`${ended.status} ${ended.code}: ${ended.message}`);
      return ended.value;
    },
    close: async () => {
      await servers.close();
      home.close();
    },
  };
}
