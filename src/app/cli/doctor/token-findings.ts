// What an AWS-style STS looks at in the token itself (cloud-wire §1.3). Pure: the issuer and the policy are not asked.

import { formatDuration } from '../../../base/core/duration.ts';
import type { Claims, JsonValue } from '../../../base/core/json.ts';
import { DEFAULT_CLOCK_SKEW_SECONDS, MAX_SUBJECT_CHARS } from '../../../base/core/limits.ts';
import type { EpochSeconds } from '../../../base/core/time.ts';
import { checkTimes } from '../../../base/jwt/claims.ts';
import type { ParsedJws } from '../../../base/jwt/jws.ts';
import { readSessionAttributes } from '../../../policy/trust/aws-session.ts';
import { type Finding, holds, type StsKind, unseen, wrong } from './finding.ts';

/** What AWS STS verifies; no EdDSA, no PSS. */
export const AWS_ALGORITHMS: readonly string[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
/** SubjectFromWebIdentityToken of AWS's answer. */
const MIN_SUBJECT_CHARS = 6;

/** Every check of the token by itself. */
export const tokenFindings = (
  token: ParsedJws,
  o: { readonly sts: StsKind; readonly now: EpochSeconds; readonly fileHasTail: boolean },
): readonly Finding[] => [
  ...(o.fileHasTail ? [tailFinding(o.sts)] : []),
  algorithmFinding(token.header.alg, o.sts),
  timesFinding(token.claims, o.now),
  subjectFinding(token.claims),
  audienceFinding(token.claims),
  ...attributeFindings(token.claims),
];

/** SDKs send the file of AWS_WEB_IDENTITY_TOKEN_FILE as it is. Ceph RGW was seen to refuse the token then. */
function tailFinding(sts: StsKind): Finding {
  const detail = 'ends with a line break or a space, which SDKs send along';
  return sts === 'compatible'
    ? wrong('token file', `${detail}: Ceph RGW refuses it`, 'jobpass token --audience AUDIENCE --file FILE')
    : unseen('token file', `${detail}; whether AWS takes it cannot be seen from here`);
}

function algorithmFinding(alg: string, sts: StsKind): Finding {
  if (!AWS_ALGORITHMS.includes(alg))
    return wrong(
      'algorithm',
      `${alg} is none that AWS verifies`,
      'set issuer.algorithm to RS256, which everybody takes',
    );
  // Ceph RGW documents RSA alone.
  return sts === 'compatible' && !alg.startsWith('RS')
    ? unseen('algorithm', `${alg}: AWS takes it, Ceph RGW wants RS256; whether this STS does cannot be seen from here`)
    : holds('algorithm', alg);
}

function timesFinding(claims: Claims, now: EpochSeconds): Finding {
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

function subjectFinding(claims: Claims): Finding {
  const sub = memberOf(claims, 'sub');
  if (typeof sub !== 'string')
    return wrong('subject', sub === undefined ? 'the token has no sub' : 'sub is no text', 'the issuer must set sub');
  const count = `${sub.length} characters`;
  return sub.length >= MIN_SUBJECT_CHARS && sub.length <= MAX_SUBJECT_CHARS
    ? holds('subject', `${sub} (${count})`)
    : wrong(
        'subject',
        `${count}; AWS takes ${MIN_SUBJECT_CHARS} to ${MAX_SUBJECT_CHARS}`,
        'shorten owner, pipeline or ref',
      );
}

/** AWS puts `azp` in the place of `aud` where there is one. */
function audienceFinding(claims: Claims): Finding {
  const [aud, azp] = [memberOf(claims, 'aud'), memberOf(claims, 'azp')];
  const audiences = Array.isArray(aud) ? aud : [aud];
  const [only, ...others] = audiences;
  if (only === undefined || !audiences.every((one) => typeof one === 'string'))
    return wrong('audience', 'the token has no aud that is text', 'ask for the token with one audience');
  if (azp !== undefined)
    return typeof azp === 'string'
      ? holds('audience', `${azp}, from azp, which AWS puts in the place of aud`)
      : wrong('audience', 'azp is no text', 'the issuer must leave azp out, or set it to the audience');
  return others.length === 0
    ? holds('audience', String(only))
    : wrong('audience', `${audiences.length} audiences`, 'ask for a token of one audience: others accept it too');
}

function attributeFindings(claims: Claims): readonly Finding[] {
  const read = readSessionAttributes(claims);
  if (!read.ok)
    return [wrong('session tags', `${read.error.claim}: ${read.error.problem}`, 'correct the claim, or leave it out')];
  const keys = Object.keys(read.value.tags);
  const identity = read.value.sourceIdentity;
  return [
    ...(keys.length === 0 ? [] : [holds('session tags', keys.join(', '))]),
    ...(identity === null ? [] : [holds('source identity', identity)]),
  ];
}

const memberOf = (claims: Claims, name: string): JsonValue | undefined =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;
