// One exchange as the clients of each wire send it: the same token, the same role.
import { TOKEN_EXCHANGE_GRANT } from '../src/wire/rfc8693/request.ts';
import { httpRequest } from './parts.ts';

export const ROLE_ARN = 'arn:aws:iam::000000000042:role/publish-web';
export const PROVIDER =
  '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass';
export const AZURE_TENANT = '11111111-2222-4333-8444-555555555555';
export const AZURE_CLIENT = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** Where a wire is served, and what is sent there. */
export interface WireRequest {
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** By the wire's name. */
export const wireRequests = (token: string): Readonly<Record<'rfc8693' | 'aws' | 'gcp' | 'azure', WireRequest>> => ({
  rfc8693: {
    path: '/token',
    form: {
      grant_type: TOKEN_EXCHANGE_GRANT,
      audience: 'urn:jobpass:role:main/publish-web',
      subject_token: token,
      subject_token_type: JWT,
    },
  },
  aws: {
    path: '/',
    form: {
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: ROLE_ARN,
      RoleSessionName: 'job-1',
      WebIdentityToken: token,
    },
  },
  gcp: {
    path: '/v1/token',
    form: {
      grant_type: TOKEN_EXCHANGE_GRANT,
      audience: PROVIDER,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: token,
      subject_token_type: JWT,
    },
  },
  azure: {
    path: '/:tenant/oauth2/v2.0/token',
    params: { tenant: AZURE_TENANT },
    form: {
      client_id: AZURE_CLIENT,
      scope: 'https://storage.azure.com/.default',
      grant_type: 'client_credentials',
      client_assertion: token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    },
  },
});

/** The request as app/server hands it to the route. */
export const toHttp = ({ form, params = {} }: WireRequest) =>
  httpRequest({
    method: 'POST',
    params,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new TextEncoder().encode(new URLSearchParams(form).toString()),
  });
