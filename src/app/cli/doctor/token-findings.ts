// What every STS looks at in the token itself. Pure: the issuer and the policy are not asked.

import { formatDuration } from '../../../base/core/duration.ts';
import { type Claims, ownMember } from '../../../base/core/json.ts';
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../../../base/core/limits.ts';
import type { EpochSeconds } from '../../../base/core/time.ts';
import { checkTimes } from '../../../base/jwt/claims.ts';
import { type Finding, holds, unseen, wrong } from './finding.ts';

/** Whether the algorithm is one that the STS verifies. */
export function algorithmFinding(
  alg: string,
  o: { readonly name: string; readonly isItself: boolean; readonly algorithms: readonly string[] },
): Finding {
  if (o.algorithms.includes(alg)) return holds('algorithm', alg);
  const detail = `${alg} is none that ${o.name} verifies`;
  return o.isItself
    ? wrong('algorithm', detail, 'set issuer.algorithm to RS256, which everybody takes')
    : unseen('algorithm', `${detail}; whether this STS does cannot be seen from here`);
}

/** Whether the token says when it began and ends, and is neither over nor of the future. */
export function timesFinding(claims: Claims, now: EpochSeconds): Finding {
  const times = checkTimes(claims, { nowSeconds: now, skewSeconds: DEFAULT_CLOCK_SKEW_SECONDS });
  if (times.ok) {
    const { issuedAt, expiresAt } = times.value;
    const ages = [`issued ${formatDuration(Math.max(0, now - issuedAt))} ago`];
    return expiresAt > now
      ? holds('times', [...ages, `expires in ${formatDuration(expiresAt - now)}`].join(', '))
      : unseen(
          'times',
          `expired ${formatDuration(now - expiresAt)} ago; an STS whose clock is behind may still take it`,
        );
  }
  const { reason, detail } = times.error;
  return wrong('times', detail, TIME_FIXES[reason] ?? 'the issuer must put exp and iat into its tokens, as numbers');
}

const TIME_FIXES: Readonly<Partial<Record<string, string>>> = {
  token_expired: 'take a fresh token: it lives for minutes and is exchanged at once',
  token_not_yet_valid: 'compare the clocks of the issuer and of this machine',
};

/** Whether `sub` is text of a length that the STS takes. */
export function subjectFinding(
  claims: Claims,
  o: { readonly name: string; readonly minChars: number; readonly maxChars: number },
): Finding {
  const sub = ownMember(claims, 'sub');
  if (typeof sub !== 'string')
    return wrong('subject', sub === undefined ? 'the token has no sub' : 'sub is no text', 'the issuer must set sub');
  const count = `${sub.length} characters`;
  return sub.length >= o.minChars && sub.length <= o.maxChars
    ? holds('subject', `${sub} (${count})`)
    : wrong('subject', `${count}; ${o.name} takes ${o.minChars} to ${o.maxChars}`, 'shorten owner, pipeline or ref');
}

/** The audiences of a token that names one or several; undefined when it names none, or anything but text. */
export function audiencesOf(claims: Claims): readonly [string, ...string[]] | undefined {
  const aud = ownMember(claims, 'aud');
  const [first, ...others] = Array.isArray(aud) ? aud : [aud];
  const isText = (one: unknown): one is string => typeof one === 'string';
  return isText(first) && others.every(isText) ? [first, ...others] : undefined;
}

/** Whether the token is for exactly one audience; which one it should be is not looked at. */
export function audienceFormFinding(claims: Claims): Finding {
  const audiences = audiencesOf(claims);
  if (audiences === undefined)
    return wrong('audience', 'the token has no aud that is text', 'ask for the token with one audience');
  return audiences.length === 1
    ? holds('audience', audiences[0])
    : wrong('audience', `${audiences.length} audiences`, 'ask for a token of one audience: others accept it too');
}
