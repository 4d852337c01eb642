// The errors of AWS STS beside a published catalogue: signed calls bent in 21 published ways get its code, status and text.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Reason } from '../../src/base/core/reasons.ts';
import { formatAmzDate } from '../../src/base/sigv4/amz-date.ts';
import { readSignature } from '../../src/base/sigv4/read.ts';
import type { SignableRequest } from '../../src/base/sigv4/request.ts';
import { signRequest } from '../../src/base/sigv4/sign-request.ts';
import { signingKey } from '../../src/base/sigv4/signature.ts';
import { verifySignature } from '../../src/base/sigv4/verify.ts';
import { type AwsFault, faultOf } from '../../src/wire/aws-sts/fault.ts';
import { sessionRefusal, signatureRefusal } from '../../src/wire/aws-sts/signature-fault.ts';
import { describeVectors, readVectors } from './vectors.ts';

const NOW = 1_800_000_000;
const DAY = 24 * 60 * 60;
const DATE = formatAmzDate(NOW);
const SCOPE = { date: DATE.slice(0, 8), region: 'us-east-1', service: 'sts' } as const;
const PAYLOAD_HASH = createHash('sha256').update('Action=GetCallerIdentity&Version=2011-06-15').digest('hex');
const KEY_ID = 'ASIAEXAMPLEEXAMPLE22';
const SECRET = 'the secret of the one session there is';

type Headers = Readonly<Record<string, string>>;

interface Signing {
  readonly headers?: Headers;
  readonly secret?: string;
  readonly atSeconds?: number;
}

/** The headers of a signed call. */
function signed({ atSeconds = NOW, headers = {}, secret = SECRET }: Signing = {}): Record<string, string> {
  const own = { host: 'sts.example.com', 'content-type': 'application/x-www-form-urlencoded', ...headers };
  const amzDate = formatAmzDate(atSeconds);
  const scope = { ...SCOPE, date: amzDate.slice(0, 8) };
  const added = signRequest(requestOf(own), {
    accessKeyId: KEY_ID,
    key: signingKey(secret, scope),
    scope,
    amzDate,
    payloadHash: PAYLOAD_HASH,
    pathEncoding: 'double',
  });
  return { ...own, ...added };
}

const requestOf = (headers: Headers): SignableRequest => ({
  method: 'POST',
  path: '/',
  query: '',
  headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
});

/** What a call with these headers is answered; undefined: taken. */
function answerTo(headers: Headers): AwsFault | undefined {
  const request = requestOf(headers);
  const claim = readSignature(request, { service: 'sts', region: SCOPE.region, nowSeconds: NOW });
  if (!claim.ok) return signatureRefusal(claim.error).fault;
  if (claim.value.accessKeyId !== KEY_ID) return sessionRefusal({ reason: 'signature_invalid', detail: '' }).fault;
  const key = signingKey(SECRET, claim.value);
  const verified = verifySignature(request, claim.value, { key, payloadHash: PAYLOAD_HASH, pathEncoding: 'double' });
  return verified.ok ? undefined : signatureRefusal(verified.error).fault;
}

const withAuthorization = (bend: (value: string) => string): Headers => {
  const headers = signed();
  return { ...headers, authorization: bend(headers.authorization ?? '') };
};
const withCredential = (scope: string): Headers =>
  withAuthorization((value) => value.replace(/Credential=[^,]+/, `Credential=${scope}`));

/** The mutations, as the vectors describe them. */
const BENT: Readonly<Record<string, Headers>> = {
  IAMAuth_invalid_auth_header: withAuthorization(() => 'invalid_header'),
  IAMAuth_unsupported_signature_version: withAuthorization((value) =>
    value.replace('AWS4-HMAC-SHA256', 'AWS2-HMAC-SHA1'),
  ),
  IAMAuth_malformed_component: withAuthorization((value) => value.replace('SignedHeaders=', 'SignedHeaders-')),
  IAMAuth_missing_authorization_component: withAuthorization((value) => value.replace(/, Signature=.*/, '')),
  IAMAuth_malformed_credential: withCredential('access/20260627/us-east-1/sts/extra/things'),
  IAMAuth_credentials_invalid_terminal: withCredential(`${KEY_ID}/${SCOPE.date}/us-east-1/sts/aws_request`),
  IAMAuth_credentials_incorrect_service: withCredential(`${KEY_ID}/${SCOPE.date}/us-east-1/ec2/aws4_request`),
  IAMAuth_credentials_incorrect_region: withCredential(`${KEY_ID}/${SCOPE.date}/us-west-1/sts/aws4_request`),
  IAMAuth_credentials_invalid_date: withCredential(`${KEY_ID}/3223423234/us-east-1/sts/aws4_request`),
  IAMAuth_credentials_future_date: signed({ atSeconds: NOW + 5 * DAY }),
  IAMAuth_credentials_past_date: signed({ atSeconds: NOW - 5 * DAY }),
  IAMAuth_credentials_non_existing_access_key: withAuthorization((value) =>
    value.replace(KEY_ID, 'ASIANOBODYNOBODY2222'),
  ),
  IAMAuth_missing_date_header: { ...signed(), 'x-amz-date': '' },
  IAMAuth_invalid_date_header: { ...signed(), 'x-amz-date': '2027-01-15T08:00:00Z' },
  IAMAuth_date_mismatch: withCredential(`${KEY_ID}/20000101/us-east-1/sts/aws4_request`),
  IAMAuth_invalid_sha256_payload_hash_ignored: signed({ headers: { 'x-amz-content-sha256': 'invalid_sha256' } }),
  IAMAuth_unsigned_required_header: withAuthorization((value) => value.replace(/(SignedHeaders=.*)host;/, '$1')),
  IAMAuth_unsigned_non_required_header: { ...signed(), 'x-amz-tagging': 'key=value', 'x-custom-header': 'value' },
  IAMAuth_signature_error_incorrect_secret_key: signed({ secret: `${SECRET}a` }),
  IAMAuth_sigv2_not_supported: withAuthorization(() => 'AWS seed_signature'),
  IAMAuth_with_expect_header: { ...signed(), expect: '100-continue' },
};

/** Their texts are built from what was sent, or missing in the catalogue. */
const BUILT: Readonly<Record<string, Pick<AwsFault, 'code' | 'status'>>> = {
  IAMAuth_malformed_component: { code: 'IncompleteSignature', status: 400 },
  IAMAuth_missing_authorization_component: { code: 'IncompleteSignature', status: 400 },
  IAMAuth_credentials_future_date: { code: 'SignatureDoesNotMatch', status: 403 },
  IAMAuth_credentials_past_date: { code: 'SignatureDoesNotMatch', status: 403 },
};

const Negative = z.object({
  iam_header: z.array(z.object({ name: z.string(), expected: z.array(z.string()), success: z.boolean().optional() })),
});
const Catalogue = z.object({
  errors: z.record(z.string(), z.object({ code: z.string(), message: z.string(), http: z.string() })),
});

const STATUS: Readonly<Record<string, number>> = {
  StatusBadRequest: 400,
  StatusForbidden: 403,
  StatusInternalServerError: 500,
};

/** What is sent is never repeated, so their text is ours up to where AWS's repeats it. */
const ownPart = (message: string): string =>
  message.replace(/ *(?:\(Hashed.*|,? ?[Gg]ot '%s'.*)$/, '').replace("'iam'", "'sts'");

describeVectors('the header form of a call', () => {
  const { iam_header: cases } = Negative.parse(readVectors('versitygw/sigv4-header-negative.json'));
  const { errors } = Catalogue.parse(readVectors('versitygw/error-catalogue.json'));

  test('is bent in every published way', () => {
    expect(cases.map(({ name }) => name).sort()).toEqual(Object.keys(BENT).sort());
    expect(answerTo(signed())).toBeUndefined();
  });

  test.each(cases)('$name', ({ expected: [expected = ''], name, success }) => {
    const answer = answerTo(BENT[name] ?? {});
    if (success === true) return expect(answer).toBeUndefined();
    if (BUILT[name] !== undefined) return expect(answer).toMatchObject(BUILT[name]);
    const key = /iamerr\.(\w+)/.exec(expected)?.[1] ?? expected.slice(0, expected.indexOf('('));
    const listed = errors[key];
    if (listed === undefined) throw new Error(`the catalogue lacks ${key}`);
    expect(answer).toMatchObject({ code: listed.code, status: STATUS[listed.http] });
    expect(answer?.message.startsWith(ownPart(listed.message))).toBe(true);
  });

  const REASONS: readonly (readonly [string, Reason])[] = [
    ['ErrInternalFailure', 'internal_failure'],
    ['ErrThrottling', 'too_many_request_tokens'],
    ['InvalidIdentityTokenMalformed', 'token_malformed'],
    ['InvalidIdentityTokenClaims', 'claim_malformed'],
    ['InvalidIdentityTokenMultipleAudiences', 'audience_mismatch'],
    ['InvalidIdentityTokenMissingClaim', 'claim_missing'],
    ['InvalidIdentityTokenIDPCommunicationError', 'key_unknown'],
    ['ExpiredWebIdentityToken', 'token_expired'],
    ['AccessDeniedAssumeRoleWithWebIdentity', 'no_rule_matched'],
    ['AccessDeniedAssumeRoleWithWebIdentity', 'role_unknown'],
  ];

  test.each(REASONS)('%s is what %s gets', (name, reason) => {
    const listed = errors[name];
    expect(faultOf(reason)).toMatchObject({ code: listed?.code, status: STATUS[listed?.http ?? ''] });
  });
});
