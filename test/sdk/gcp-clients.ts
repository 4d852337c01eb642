// What Google Cloud's own clients are given: external_account files over every kind of source, and a home for gcloud.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { jsonResponse } from '../../src/base/ports/http.ts';
import { ACCOUNT, PROVIDER } from '../fakes/gcp-calls.ts';
import { type LoopbackServer, serveOnLoopback } from '../fakes/serve-on-loopback.ts';
import { ClientHome } from './client-processes.ts';

/** Where the client finds its token, as a member of its file. */
export type CredentialSource = Readonly<Record<string, unknown>>;

/** An external_account file as `gcloud iam workload-identity-pools create-cred-config` writes it, with another STS in it. */
export const externalAccount = (
  stsUrl: string,
  source: CredentialSource,
  o: { readonly account?: string; readonly lifetimeSeconds?: number } = {},
) => ({
  universe_domain: 'googleapis.com',
  type: 'external_account',
  audience: PROVIDER,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: `${stsUrl}/v1/token`,
  token_info_url: `${stsUrl}/v1/introspect`,
  credential_source: source,
  ...(o.account === undefined
    ? {}
    : {
        service_account_impersonation_url: `${stsUrl}/v1/projects/-/serviceAccounts/${o.account}:generateAccessToken`,
        ...(o.lifetimeSeconds === undefined
          ? {}
          : { service_account_impersonation: { token_lifetime_seconds: o.lifetimeSeconds } }),
      }),
});

/** Both ways of asking: as oneself, and as a service account. */
export const WAYS = [
  ['as itself', {}],
  ['as a service account', { account: ACCOUNT }],
] as const;

/** A home with a token in it, and the sources that read it. */
export class GcpHome extends ClientHome {
  /** The environment of gcloud: a configuration folder of its own, nobody to ask, no telemetry. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      ...this.variables,
      CLOUDSDK_CONFIG: join(this.folder, 'gcloud'),
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
      ...more,
    };
  }

  /** A file with the token, and the line end that shells leave. */
  fileSource(token: string): CredentialSource {
    return { file: this.write('token', `${token}\n`) };
  }

  /** A program that prints the token in the form that Google's clients ask for. */
  executableSource(token: string, expiresAt: number): CredentialSource {
    const answer = {
      version: 1,
      success: true,
      token_type: 'urn:ietf:params:oauth:token-type:jwt',
      id_token: token,
      expiration_time: expiresAt,
    };
    const program = this.write('print-token.sh', `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`);
    chmodSync(program, 0o700);
    return { executable: { command: program, timeout_millis: 5000 } };
  }
}

/** GitHub's token endpoint, as the file of google-github-actions/auth points at it. */
export interface TokenEndpoint extends LoopbackServer {
  readonly source: CredentialSource;
}

/** Serves `token()` to whoever brings the job's bearer token, as `{"value"}`. */
export async function serveTokens(token: () => Promise<string>): Promise<TokenEndpoint> {
  const server = await serveOnLoopback(async () => [
    {
      method: 'GET',
      path: '/idtoken',
      handle: async ({ headers }) =>
        headers.authorization === 'Bearer of-the-job'
          ? jsonResponse(200, { value: await token() })
          : jsonResponse(401, { message: 'who are you?' }),
    },
  ]);
  const source = {
    url: `${server.url}/idtoken?audience=${encodeURIComponent(`https:${PROVIDER}`)}`,
    headers: { Authorization: 'Bearer of-the-job' },
    format: { type: 'json', subject_token_field_name: 'value' },
  };
  return { ...server, source };
}
