// What an AWS-style STS looks at in the token itself (cloud-wire §1.3). Pure: the issuer and the policy are not asked.
import { type Claims, ownMember } from '../../../../base/core/json.ts';
import { MAX_SUBJECT_CHARS } from '../../../../base/core/limits.ts';
import type { EpochSeconds } from '../../../../base/core/time.ts';
import type { ParsedJws } from '../../../../base/jwt/jws.ts';
import { readSessionAttributes } from '../../../../policy/trust/aws-session.ts';
import { type Finding, holds, unseen, wrong } from '../finding.ts';
import { algorithmFinding, audienceFormFinding, audiencesOf, subjectFinding, timesFinding } from '../token-findings.ts';

/** What AWS STS verifies; no EdDSA, no PSS. */
export const AWS_ALGORITHMS: readonly string[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
/** SubjectFromWebIdentityToken of AWS's answer. */
const MIN_SUBJECT_CHARS = 6;

/** Every check of the token by itself. `isItself` false: for an STS like AWS's. `fileHasTail`: white space ends its file. */
export const awsTokenFindings = (
  { claims, header }: ParsedJws,
  o: { readonly isItself: boolean; readonly now: EpochSeconds; readonly fileHasTail: boolean },
): readonly Finding[] => [
  ...(o.fileHasTail ? [tailFinding(o.isItself)] : []),
  awsAlgorithmFinding(header.alg, o.isItself),
  timesFinding(claims, o.now),
  subjectFinding(claims, { name: 'AWS', minChars: MIN_SUBJECT_CHARS, maxChars: MAX_SUBJECT_CHARS }),
  audienceFinding(claims),
  ...attributeFindings(claims),
];

/** SDKs send the file of AWS_WEB_IDENTITY_TOKEN_FILE as it is. Ceph RGW was seen to refuse the token then. */
function tailFinding(isItself: boolean): Finding {
  const detail = 'ends with a line break or a space, which SDKs send along';
  return isItself
    ? unseen('token file', `${detail}; whether AWS takes it cannot be seen from here`)
    : wrong('token file', `${detail}: Ceph RGW refuses it`, 'jobpass token --audience AUDIENCE --file FILE');
}

/** No STS is known that speaks like AWS's and verifies more. */
const awsAlgorithmFinding = (alg: string, isItself: boolean): Finding =>
  // Ceph RGW documents RSA alone.
  !isItself && AWS_ALGORITHMS.includes(alg) && !alg.startsWith('RS')
    ? unseen('algorithm', `${alg}: AWS takes it, Ceph RGW wants RS256; whether this STS does cannot be seen from here`)
    : algorithmFinding(alg, { name: 'AWS', isItself: true, algorithms: AWS_ALGORITHMS });

/** AWS puts `azp` in the place of `aud` where there is one. */
function audienceFinding(claims: Claims): Finding {
  const form = audienceFormFinding(claims);
  const azp = ownMember(claims, 'azp');
  if (azp === undefined || audiencesOf(claims) === undefined) return form;
  return typeof azp === 'string'
    ? holds('audience', `${azp}, from azp, which AWS puts in the place of aud`)
    : wrong('audience', 'azp is no text', 'the issuer must leave azp out, or set it to the audience');
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
