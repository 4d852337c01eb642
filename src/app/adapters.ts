// The adapters of the small ports: clocks, randomness and the log.
import { randomBytes } from 'node:crypto';
import { type DestinationStream, pino } from 'pino';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';

/** The machine's clocks. */
export const systemClock: Clock = {
  nowSeconds: () => Math.floor(Date.now() / 1000),
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** The operating system's randomness. */
export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

/** Fields whose value is never logged, whoever passes it. */
const REDACTED = [
  'token',
  'secret',
  'authorization',
  'request_token',
  'access_token',
  'subject_token',
  'client_secret',
];

/** JSON lines on stderr, because stdout belongs to answers. Only a field named `err` tells what an error says. */
export function createLog(
  level: string,
  server: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  return pino(
    {
      level,
      base: { server },
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination,
  );
}
