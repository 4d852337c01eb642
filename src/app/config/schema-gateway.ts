// The gateways section of jobpass.yaml.
import * as z from 'zod';
import { parseByteCount } from '../../base/core/byte-count.ts';
import { keys, tls } from './schema-fields.ts';
import { bareOrigin, bucketName, databaseUrl, listen, name, origin, secretReference } from './schema-texts.ts';

const s3 = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, 'a region such as us-east-1')
      .optional()
      .describe('The region that clients sign for. Default: us-east-1.'),
    buckets: z
      .array(
        z.strictObject({
          name: bucketName(),
          quota: z
            .string()
            .refine((text) => parseByteCount(text) !== undefined, { error: 'an amount such as 500MB or 10GiB' })
            .optional()
            .describe('The most bytes that its objects may have together. Only on the local disk. Default: no bound.'),
        }),
      )
      .min(1)
      .describe('Every bucket there is.'),
    folder: z.string().min(1).optional().describe('Objects are kept on this machine, in this folder.'),
    upstream: z
      .strictObject({
        url: bareOrigin(),
        network: z
          .enum(['public', 'private', 'loopback'])
          .optional()
          .describe('Which addresses it may resolve to. Default: public.'),
        region: z
          .string()
          .regex(/^[a-z0-9-]{1,64}$/)
          .optional()
          .describe('Default: the region above.'),
        access_key_id: z.string().regex(/^\w{1,128}$/, 'an access key id'),
        secret_access_key: secretReference(),
      })
      .optional()
      .describe('Objects are kept by another S3, which the gateway reaches with a key of its own.'),
  })
  .describe('Serves S3: buckets on the local disk, or those of another S3.');

const blob = z
  .strictObject({
    listen: listen().describe('Where clients of the Azure Blob API reach the objects.'),
    account: z
      .string()
      .regex(/^[a-z0-9]{3,24}$/, 'a storage account: 3 to 24 lower-case letters and digits')
      .describe('The account that clients name: the first segment of every path.'),
    url: origin().describe('Its URL without the account, https: clients send tokens over nothing else.'),
  })
  .describe('Serves the objects of `s3` by the Azure Blob API too; buckets are containers there.');

const gcs = z
  .strictObject({
    listen: listen().describe('Where it listens; the gateway’s `tls` serves it, too.'),
    url: bareOrigin().describe('Where clients reach it: the links in its answers begin with it.'),
  })
  .describe('Serves the objects of `s3` by the Cloud Storage JSON API too.');

/** One gateway. */
export const gateway = z.strictObject({
  name: name().describe('Stands in the resources of an HTTP guard: arn:jobpass:http:::NAME/PATH.'),
  group: name().optional().describe('Default: its name.'),
  listen: listen()
    .optional()
    .describe(
      'Where the guarded resource is reached. Needed with `upstream`, and with `s3` unless `blob` or `gcs` serves it.',
    ),
  tls: tls().optional(),
  url: bareOrigin()
    .optional()
    .describe(
      'The origin that callers reach it at. With it, `/.well-known/oauth-protected-resource` says which STS gives tokens, and refusals lead there.',
    ),
  upstream: bareOrigin()
    .optional()
    .describe('The resource behind it: an origin, to which every permitted path is forwarded as it is.'),
  s3: s3.optional(),
  blob: blob.optional(),
  gcs: gcs.optional(),
  check: z
    .strictObject({ listen: listen(), dialect: z.enum(['nginx']) })
    .optional()
    .describe('Answers a proxy’s authorization subrequests, for a resource that the proxy guards.'),
  sts: z.strictObject({
    url: origin(),
    network: z.enum(['public', 'private', 'loopback']).optional().describe('Default: public.'),
    client: name().optional().describe('Its name at the STS. Default: its name.'),
    secret: secretReference(),
  }),
  storage: databaseUrl().optional().describe('Keeps its own keys. Default: sqlite:./data/gateway-NAME.db'),
  keys: keys().optional(),
});

export type GatewaySection = z.infer<typeof gateway>;
export type S3Section = z.infer<typeof s3>;
export type BlobSection = z.infer<typeof blob>;
