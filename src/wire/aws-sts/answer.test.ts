// The answers of AWS STS, byte for byte, and the code for every reason.
import { describe, expect, test } from 'vitest';
import { REASONS, type Reason, safeReason } from '../../base/core/reasons.ts';
import { Secret } from '../../base/core/secret.ts';
import { type AssumedRole, encodeAssumedRole, encodeCallerIdentity } from './answer.ts';
import { awsFault, encodeAwsFault, faultOf, faultOfStatus, leadingOn } from './fault.ts';

const ROLE: AssumedRole = {
  audience: 'sts.amazonaws.com',
  assumedRoleId: 'AROASTUBSTUBSTUBSTUB1:job-1',
  assumedRoleArn: 'arn:aws:sts::111122223333:assumed-role/deploy/job-1',
  provider: 'arn:aws:iam::111122223333:oidc-provider/127.0.0.1:9443/ci',
  credentials: {
    accessKeyId: 'ASIA74BA5DEA460B31AA',
    secretAccessKey: new Secret('the/secret+key'),
    sessionToken: 'a.b.c',
    expiresAt: 1_795_400_884,
  },
  subject: 'repo:org/app:ref:refs/heads/main',
  packedPolicyPercent: null,
  sourceIdentity: null,
};

const HEADERS = {
  'content-type': 'text/xml',
  'x-amzn-requestid': 'D9XM40KQZ7HT8',
  'cache-control': 'no-store',
  pragma: 'no-cache',
};

const WHOLE = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Audience>sts.amazonaws.com</Audience><AssumedRoleUser><AssumedRoleId>AROASTUBSTUBSTUBSTUB1:job-1</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/deploy/job-1</Arn></AssumedRoleUser>
<Provider>arn:aws:iam::111122223333:oidc-provider/127.0.0.1:9443/ci</Provider>
<Credentials><AccessKeyId>ASIA74BA5DEA460B31AA</AccessKeyId><SecretAccessKey>the/secret+key</SecretAccessKey><SessionToken>a.b.c</SessionToken><Expiration>2026-11-23T02:28:04Z</Expiration></Credentials>
<SubjectFromWebIdentityToken>repo:org/app:ref:refs/heads/main</SubjectFromWebIdentityToken></AssumeRoleWithWebIdentityResult>
<ResponseMetadata><RequestId>D9XM40KQZ7HT8</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`;

describe('the answer of AssumeRoleWithWebIdentity', () => {
  test('is byte for byte what clients were measured with', () => {
    expect(encodeAssumedRole(ROLE, 'D9XM40KQZ7HT8')).toEqual({ status: 200, headers: HEADERS, body: WHOLE });
  });

  test('tells the size of policies and tags, and the source identity, when there are any', () => {
    const { body } = encodeAssumedRole({ ...ROLE, packedPolicyPercent: 6, sourceIdentity: 'octocat' }, 'D1');
    expect(body).toContain('<PackedPolicySize>6</PackedPolicySize>\n<SourceIdentity>octocat</SourceIdentity>');
  });

  test.each(['audience', 'subject', 'provider', 'sourceIdentity'] as const)('escapes its %s', (member) => {
    const text = ']]></Credentials><Credentials>&amp;\u0000\u001b"\'';
    const body = String(encodeAssumedRole({ ...ROLE, [member]: text }, 'D1').body);
    expect(body).toContain(']]&gt;&lt;/Credentials&gt;&lt;Credentials&gt;&amp;amp;\ufffd\ufffd&quot;&apos;');
    expect(body.match(/<Credentials>/g)).toHaveLength(1);
  });

  test('tells a subject that is shorter than AWS’s model says', () => {
    const { body } = encodeAssumedRole({ ...ROLE, subject: 'a' }, 'D1');
    expect(body).toContain('<SubjectFromWebIdentityToken>a</SubjectFromWebIdentityToken>');
  });
});

test('the answer of GetCallerIdentity is in the same form', () => {
  const caller = { arn: ROLE.assumedRoleArn, userId: ROLE.assumedRoleId, account: '111122223333' };
  const body = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::111122223333:assumed-role/deploy/job-1</Arn><UserId>AROASTUBSTUBSTUBSTUB1:job-1</UserId><Account>111122223333</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>D9XM40KQZ7HT8</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
  expect(encodeCallerIdentity(caller, 'D9XM40KQZ7HT8')).toEqual({ status: 200, headers: HEADERS, body });
});

describe('an error', () => {
  test('is byte for byte AWS’s', () => {
    const answer = encodeAwsFault(awsFault('AccessDenied', 'a <no>'), 'D9XM40KQZ7HT8');
    const body =
      '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>' +
      '<Message>a &lt;no&gt;</Message></Error><RequestId>D9XM40KQZ7HT8</RequestId></ErrorResponse>';
    expect(answer).toEqual({ status: 403, headers: HEADERS, body });
  });

  test.each([
    ['InternalFailure', 500],
    ['ServiceUnavailable', 503],
  ] as const)('%s is the receiver’s', (code, status) => {
    const answer = encodeAwsFault(awsFault(code, ''), 'D1');
    expect([answer.status, String(answer.body).includes('<Type>Receiver</Type>')]).toEqual([status, true]);
  });

  test.each([
    [413, 'MalformedInput', 413],
    [400, 'MalformedInput', 400],
    [503, 'ServiceUnavailable', 503],
  ] as const)('of a request that nobody could read keeps its status %d', (status, code, answered) => {
    expect(faultOfStatus(status, 'x')).toMatchObject({ code, status: answered });
  });

  test('may tell the way to its reason', () => {
    const { message } = leadingOn(faultOf('no_rule_matched'), 'D9XM40KQZ7HT8');
    expect(message).toBe(
      'Not authorized to perform sts:AssumeRoleWithWebIdentity. The operator sees why with: jobpass decisions show D9XM40KQZ7HT8',
    );
  });
});

const reasons = Object.keys(REASONS) as Reason[];

describe('the code of a reason', () => {
  const BY_SAFE_REASON = {
    request_invalid: ['ValidationError', 400],
    client_invalid: ['AccessDenied', 403],
    token_invalid: ['InvalidIdentityToken', 400],
    token_expired: ['ExpiredTokenException', 400],
    access_denied: ['AccessDenied', 403],
    not_found: ['AccessDenied', 403],
    conflict: ['ValidationError', 400],
    limited: ['Throttling', 400],
    unavailable: ['ServiceUnavailable', 503],
  } as const;
  const OWN: Partial<Record<Reason, readonly [string, number]>> = {
    issuer_unreachable: ['IDPCommunicationError', 400],
    issuer_unusable: ['InvalidIdentityToken', 400],
    internal_failure: ['InternalFailure', 500],
    session_policy_malformed: ['MalformedPolicyDocument', 400],
    session_policy_too_large: ['PackedPolicyTooLarge', 400],
    request_too_large: ['PackedPolicyTooLarge', 400],
  };

  test.each(reasons)('%s', (reason) => {
    const { code, status } = faultOf(reason);
    expect([code, status]).toEqual(OWN[reason] ?? BY_SAFE_REASON[safeReason(reason)]);
  });

  test('makes a client ask again only where asking again can help', () => {
    const again = ['IDPCommunicationError', 'InternalFailure', 'ServiceUnavailable', 'Throttling'];
    const retried = reasons.filter((reason) => again.includes(faultOf(reason).code));
    expect(retried.every((reason) => ['unavailable', 'limited'].includes(safeReason(reason)))).toBe(true);
    expect(reasons.filter((reason) => faultOf(reason).code === 'IDPCommunicationError')).toEqual([
      'issuer_unreachable',
    ]);
  });

  test('and its text are one for an unknown role, another tenant’s and a failed condition', () => {
    expect(faultOf('role_unknown')).toEqual(faultOf('no_rule_matched'));
    expect(faultOf('session_ended')).toEqual(faultOf('no_rule_matched'));
  });
});
