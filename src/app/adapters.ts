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

/** Drawn at once for what is short: a call of the system's costs far more than the bytes of an id. */
const RESERVE_BYTES = 1024;
const SHORT_BYTES = 16;

/** Randomness of `source`, a reserve of it for what is short. No byte is given out twice, nor kept once it was. */
export function reservedRandom(source: (length: number) => Uint8Array): Random {
  let reserve: Uint8Array = new Uint8Array();
  return {
    bytes: (length) => {
      if (length > SHORT_BYTES) return source(length);
      if (reserve.length < length) reserve = source(RESERVE_BYTES);
      // A copy: of a Buffer, `slice` would be the reserve itself.
      const taken = new Uint8Array(reserve.subarray(0, length));
      reserve.fill(0, 0, length);
      reserve = reserve.subarray(length);
      return taken;
    },
  };
}

/** The operating system's randomness. */
export const systemRandom: Random = reservedRandom(randomBytes);

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
