// Sections of jobpass.yaml that every server has.
import * as z from 'zod';
import { secretReference } from './schema-texts.ts';

/** A server's `keys` section. */
export const keys = () =>
  z
    .strictObject({
      encryption_key: secretReference()
        .optional()
        .describe('Where the key-encryption key is read from. `jobpass init` makes it.'),
    })
    .describe('How private keys are kept.');

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
