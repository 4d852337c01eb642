// Who hears that a job is over, as its controller reads it: what cannot be called back is said, and for how long it lives.
import { formatDuration } from '../../base/core/duration.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { ToldAudience } from '../../runner/controller.ts';
import { printable } from './paint.ts';

/** One line for each audience that the job got a token for. */
export const showTold = (told: readonly ToldAudience[], now: EpochSeconds): readonly string[] =>
  told.map((one) => `${printable(one.audience, 200)}: ${howItEnds(one, now)}`);

function howItEnds({ heard, tokensUntil }: ToldAudience, now: EpochSeconds): string {
  if (heard === 'event') return 'told; what the job holds there ends within 2 s';
  const kept = 'what the job was given there lives until it expires by itself';
  if (heard === 'introspection') return `asks before it gives more; ${kept}`;
  const left = tokensUntil === null ? 0 : tokensUntil - now;
  const more = left > 0 ? `, and its ID token may be used there for ${formatDuration(left)} yet` : '';
  return `nobody listens there; ${kept}${more}`;
}
