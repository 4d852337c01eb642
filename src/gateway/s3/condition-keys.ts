// What the conditions of permissions may ask about an S3 request, by the names that AWS gives it.
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { signatureConditionKeys } from '../../wire/s3/permissions.ts';
import type { Ask } from '../authorize.ts';
import type { Caller } from './authenticate.ts';

export interface FactsInput {
  readonly req: IncomingMessage;
  readonly call: S3Call;
  readonly caller: Caller;
  readonly nowSeconds: EpochSeconds;
}

/** A request without these parameters does not have them; nothing about that is unknown. */
const PARAMETERS = ['s3:delimiter', 's3:max-keys', 's3:prefix'];

/**
 * The facts of one request: what the call itself names, how it was signed, over which connection it came, and whose session it
 * is. The address is that of the connection: behind a proxy, the proxy's.
 */
export function requestFacts({ req, call, caller, nowSeconds }: FactsInput): Ask['facts'] {
  const { claim, session } = caller;
  const keys = new Map<string, string | null>([
    ...PARAMETERS.map((name): [string, null] => [name, null]),
    ...call.conditionKeys,
    ...signatureConditionKeys(claim, nowSeconds * 1000),
    ['aws:securetransport', String(req.socket instanceof TLSSocket)],
    ['aws:principalarn', session.aws.roleArn],
    ['aws:userid', session.userId],
  ]);
  const address = plainAddress(req.socket.remoteAddress);
  return { keys, ...(address === undefined ? {} : { sourceAddress: address }) };
}

/** An IPv4 caller of a listener for both families shows as `::ffff:192.0.2.7`; policies speak of 192.0.2.7. */
const plainAddress = (address: string | undefined): string | undefined => address?.replace(/^::ffff:(?=[0-9]+\.)/i, '');
