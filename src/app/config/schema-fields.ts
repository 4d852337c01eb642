// Sections of jobpass.yaml that every server has.
import * as z from 'zod';
import { duration, durationOrNever, secretReference } from './schema-texts.ts';

const TWO_YEARS = 730 * 86_400;
const TEN_YEARS = 3650 * 86_400;

const encryption = () => ({
  encryption_key: secretReference()
    .optional()
    .describe('Where the key-encryption key is read from. `jobpass init` makes it.'),
  encryption_key_before: secretReference()
    .optional()
    .describe('The key-encryption key of before, until `jobpass keys rewrap` has sealed every key anew.'),
});

/** A gateway's `keys` section. */
export const keys = () => z.strictObject(encryption()).describe('How private keys are kept.');

/** The issuer's `keys` section. */
export const issuerKeys = () =>
  z
    .strictObject({
      ...rotation(),
      export: z
        .strictObject({
          folder: z.string().min(1).describe('The folder: the root of what a web host serves under the issuer’s URL.'),
          hook: z
            .array(z.string().min(1))
            .min(1)
            .optional()
            .describe(
              'A program and its arguments, run after every export; until it succeeds, a new key does not sign.',
            ),
        })
        .optional()
        .describe('Writes discovery document and key set as files, at the start and whenever keys change.'),
    })
    .describe('How private keys are kept, and for how long.');

/** The `keys` section of a server whose keys rotate. */
export const rotatingKeys = () => z.strictObject(rotation()).describe('How private keys are kept, and for how long.');

const rotation = () => ({
  ...encryption(),
  rotate_every: durationOrNever(TWO_YEARS, '730d')
    .optional()
    .describe('How long a key signs before the next one takes over by itself; `never`: by command. Default: 90d.'),
  publish_for: duration(TWO_YEARS, '730d')
    .optional()
    .describe('How long a key is published before it signs, at least 11m. Default: 1d.'),
});

/** Of a client: the audit chains. */
export const mayAudit = () =>
  z.boolean().optional().describe('Reads the whole audit trail, also of no tenant, and prunes it. Default: no.');

/** The `audit` section of a server that signs checkpoints. */
export const audit = () =>
  z
    .strictObject({
      anchor: z
        .string()
        .regex(/^file:.+$/, 'file:PATH')
        .optional()
        .describe('A file that every checkpoint is appended to. Keep it where whoever writes the database cannot.'),
      keep: duration(TEN_YEARS, '3650d')
        .optional()
        .describe('Older records are pruned, at least 1d. Default: all are kept.'),
    })
    .describe('The trail of decisions and actions.');

/** A server's `tls` section. */
export const tls = () =>
  z
    .strictObject({
      certificate: z
        .string()
        .regex(/^file:.+$/, 'file:PATH')
        .describe('PEM, the server’s certificate first, then those between it and its root.'),
      key: secretReference().describe('Its private key, PEM.'),
    })
    .describe('Serves https itself. Without it, put a TLS proxy in front of everything that is not on loopback.');

/** Where a server's operators reach it. */
export const adminSocket = () =>
  z
    .string()
    .regex(/^unix:.+$/, 'unix:PATH')
    .optional();

/** `may.keys` of an operator. */
export const keyRings = () =>
  z
    .array(z.string().min(1).max(255))
    .optional()
    .describe('Key rings it may look at and change, by their names in `jobpass keys list`; "*" is all of them.');
