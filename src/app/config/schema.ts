// The one schema of jobpass.yaml: validation, types, the JSON Schema for editors and docs/config.md all come from here.
import * as z from 'zod';
import { MAX_SESSION_SECONDS } from '../../base/core/limits.ts';
import { adminSocket, audit, issuerKeys, keyRings, mayAudit, rotatingKeys, tls } from './schema-fields.ts';
import { gateway } from './schema-gateway.ts';
import { limits } from './schema-limits.ts';
import {
  addressRange,
  audience,
  awsAccount,
  awsPolicyArn,
  azureTenant,
  bareOrigin,
  databaseUrl,
  duration,
  gcpProject,
  listen,
  name,
  origin,
  secretReference,
} from './schema-texts.ts';

const clientBase = {
  name: name().describe('The name the client authenticates with.'),
  secrets_sha256: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits: the SHA-256 of the secret'))
    .max(2)
    .optional()
    .describe('SHA-256 of each valid secret; two while one replaces the other.'),
  jwks: z
    .strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1).max(10) })
    .optional()
    .describe('Public keys for `private_key_jwt`.'),
  expires: z.iso
    .date({ error: 'a date in quotes such as "2027-11-23"' })
    .optional()
    .describe('The first day it is no longer valid.'),
};

const namedId = z.strictObject({ name: z.string().min(1).max(255), id: z.string().min(1).max(255) });

const issuerClient = z.strictObject({
  ...clientBase,
  may: z.strictObject({
    jobs: z
      .strictObject({
        owners: z.array(namedId).min(1).describe('Owners whose jobs it starts; no two controllers share one.'),
        extra_claims_prefix: z
          .string()
          .regex(/^[a-z][a-z0-9.:/-]*[_/:.-]$/, 'a prefix that ends in one of _ / : . -')
          .optional()
          .describe('Extra claims it may give begin with this.'),
        local: z.boolean().optional().describe('Its jobs are local: a person’s own machine, subject `local:…`.'),
      })
      .optional()
      .describe('The client is a controller.'),
    introspect: z.array(audience()).optional().describe('Audiences whose tokens it may ask about.'),
    events: z.array(audience()).optional().describe('Audiences whose jobs’ ends it hears of.'),
    keys: keyRings(),
    audit: mayAudit(),
  }),
});

const stsClient = z.strictObject({
  ...clientBase,
  may: z.strictObject({
    feed: name().optional().describe('The gateway whose feed it reads.'),
    read: z.array(name()).optional().describe('Tenants whose decisions it reads.'),
    evaluate: z.array(name()).optional().describe('Tenants whose roles it may dry-run.'),
    introspect: z.array(name()).optional().describe('Gateway groups whose access tokens it may ask about.'),
    revoke: z.array(name()).optional().describe('Tenants whose sessions it may end, and where it may stop granting.'),
    operate: z
      .boolean()
      .optional()
      .describe('It may end, and stop granting, what is of no single tenant: a job, an issuer, everything.'),
    keys: keyRings(),
    audit: mayAudit(),
  }),
});

const issuer = z.strictObject({
  url: origin().describe('The issuer URL, exactly as it stands in `iss`.'),
  listen: listen().optional().describe('Where it listens. Default: host and port of `url` when that is loopback.'),
  tls: tls().optional(),
  storage: databaseUrl().optional().describe('Its database. Default: sqlite:./data/issuer.db'),
  witness: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A file outside the database that tells an older copy of it from the newest. Keep it where it survives a restart, and out of the backups of the data. Default: ./witness/issuer.json',
    ),
  keys: issuerKeys().optional(),
  admin: adminSocket().describe('Where operators reach it. Default: unix:./run/issuer.sock'),
  audit: audit().optional(),
  id_tokens: z
    .strictObject({
      algorithm: z.enum(['RS256', 'ES256', 'EdDSA']).optional().describe('Default: RS256, the one every cloud reads.'),
      profile: z.enum(['jobpass', 'github']).optional().describe('The names the claims go by. Default: jobpass.'),
      lifetime: duration(3600, '1h').optional().describe('How long an ID token lives, 1m to 1h. Default: 10m.'),
    })
    .optional(),
  max_job: duration(7 * 86_400, '7d')
    .optional()
    .describe('The longest deadline a controller may ask for. Default: 6h.'),
  forks: z
    .strictObject({ audiences: z.array(audience()).min(1).describe('The only audiences such jobs may ask for.') })
    .optional()
    .describe('Lets jobs from forks ask for tokens. Default: they get none.'),
  clients: z.array(issuerClient).describe('Everyone who calls a route that is not public.'),
});

const trustedIssuer = z.strictObject({
  issuer: origin().describe('Compared with `iss` byte for byte.'),
  audiences: z
    .array(audience())
    .min(1)
    .optional()
    .describe('A token must name one of these, alone. Default: the URL of the STS.'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .optional()
    .describe('Default: RS256 and ES256.'),
  network: z
    .enum(['public', 'private', 'loopback'])
    .optional()
    .describe('Which addresses it may resolve to. Default: public.'),
  job_status: z
    .enum(['feed', 'introspect', 'none'])
    .optional()
    .describe('How the STS learns that a job is over. Default: feed with a client, none without.'),
  client: name().optional().describe('The name of this STS at the issuer.'),
  secret: secretReference().optional().describe('Its secret there.'),
  max_session: duration(MAX_SESSION_SECONDS, '12h').optional().describe('The longest session on its tokens.'),
});

const tenant = z.strictObject({
  issuers: z
    .array(origin())
    .optional()
    .describe('Issuers its roles may trust. Default, for a single tenant: all trusted ones.'),
  gateways: z
    .array(name())
    .optional()
    .describe('Gateway groups its roles may name. Default, for a single tenant: all.'),
  actions: z.array(z.string().min(1)).optional().describe('Actions its roles may allow. Default: all.'),
  resources: z
    .array(z.string().min(1))
    .optional()
    .describe('Resources its roles may allow. Default, for a single tenant: all.'),
  max_duration: duration(MAX_SESSION_SECONDS, '12h').optional().describe('The longest session. Default: 12h.'),
  aws_accounts: z
    .array(awsAccount())
    .optional()
    .describe(
      'AWS accounts that ARNs of its roles may be in; each belongs to one tenant. Default: for a single tenant all, else none.',
    ),
  gcp_projects: z
    .array(gcpProject())
    .optional()
    .describe(
      'Numbers of the Google Cloud projects that providers of its roles may be in; each belongs to one tenant. Default: as with `aws_accounts`.',
    ),
  azure_tenants: z
    .array(azureTenant())
    .optional()
    .describe(
      'Azure tenants that applications of its roles may be in; each belongs to one tenant. Default: as with `aws_accounts`.',
    ),
  aws_policies: z
    .record(awsPolicyArn(), z.string().regex(/^file:.+$/, 'file:PATH'))
    .optional()
    .describe('Policy documents (JSON) that AWS clients may name by their ARN to narrow a session.'),
});

const sts = z.strictObject({
  url: origin().describe('The URL of the STS: `iss` of what it signs.'),
  listen: listen().optional().describe('Where it listens. Default: host and port of `url` when that is loopback.'),
  tls: tls().optional(),
  storage: databaseUrl().optional().describe('Its database. Default: sqlite:./data/sts.db'),
  witness: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A file outside the database that tells an older copy of it from the newest. Keep it where it survives a restart, and out of the backups of the data. Default: ./witness/sts.json',
    ),
  keys: rotatingKeys().optional(),
  admin: adminSocket().describe('Where operators reach it. Default: unix:./run/sts.sock'),
  audit: audit().optional(),
  policies: z.string().min(1).optional().describe('The folder of roles. Default: ./policies'),
  trusted_issuers: z.array(trustedIssuer).min(1).describe('The only issuers whose tokens are looked at.'),
  tenants: z.record(name(), tenant).optional().describe('What each tenant may give away. Default: one, `main`.'),
  gateways: z
    .array(
      z.strictObject({
        name: name(),
        group: name().optional().describe('Default: its name.'),
        url: bareOrigin().optional().describe('Its `url`: exchanges may name it as the `resource` that they are for.'),
        public_keys: z
          .array(z.string().regex(/^file:.+$/, 'file:PATH'))
          .min(1)
          .max(2)
          .describe('What `jobpass keys export --public` printed at the gateway.'),
      }),
    )
    .optional()
    .describe('The gateways that guard resources for it.'),
  clients: z.array(stsClient).optional().describe('Gateways and operators.'),
});
/** jobpass.yaml as written: snake_case, durations as text, references unresolved. */
export const configSchema = z.strictObject({
  issuer: issuer.optional().describe('The CI provider’s side: gives every job an identity.'),
  sts: sts.optional().describe('The cloud’s side: turns identities into temporary credentials.'),
  gateways: z.array(gateway).optional().describe('Guards in front of resources.'),
  limits: limits().optional().describe('Bounds of every server in this file.'),
  observability: z
    .strictObject({
      log_level: z.enum(['debug', 'info', 'warn', 'error']).optional().describe('Default: info.'),
      listen: listen()
        .optional()
        .describe(
          'A listener for `/healthz`, `/readyz` and `/metrics` of all servers in this file; metrics are then shown there alone. Default: none.',
        ),
      metrics_from: z
        .array(addressRange())
        .max(256)
        .optional()
        .describe('Who may read `/metrics` besides this machine. Default: nobody.'),
    })
    .optional(),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type IssuerSection = z.infer<typeof issuer>;
export type StsSection = z.infer<typeof sts>;
