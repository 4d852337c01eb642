// versitygw's mutations of a correctly signed IAM request, as STS requests: each gives the problem that its AWS error means,
// with the part at fault that the error's text repeats.
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { SigV4Failure, SigV4Problem } from '../../src/base/sigv4/problem.ts';
import { readSignature } from '../../src/base/sigv4/read.ts';
import type { SignableRequest } from '../../src/base/sigv4/request.ts';
import { signingKey } from '../../src/base/sigv4/signature.ts';
import { verifySignature } from '../../src/base/sigv4/verify.ts';
import {
  ACCESS_KEY_ID,
  changeAuthorization,
  changeHeaders,
  EMPTY_HASH,
  headerSigned,
  keyFor,
  SIGNED_AT,
} from '../fakes/signed-requests.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Negatives = z.object({
  iam_header: z.array(
    z.object({
      name: z.string(),
      mutation: z.array(z.string()),
      expected: z.array(z.string()),
      success: z.boolean().optional(),
    }),
  ),
});
const Catalogue = z.object({ errors: z.record(z.string(), z.object({ code: z.string(), message: z.string() })) });

const DAY = 86_400;
const good = (): SignableRequest => headerSigned('sts', { method: 'POST' });
const authorization = (value: string): SignableRequest => changeHeaders(good(), { authorization: [value] });
const credential = (value: string): SignableRequest =>
  changeAuthorization(good(), /Credential=[^,]*,/, `Credential=${value},`);

interface Interpretation {
  readonly request: SignableRequest;
  readonly region?: string;
  readonly nowSeconds?: number;
  readonly key?: Uint8Array;
  /** What the vector's error constructor is here; `accepted` is a success, `key_unknown` the caller's own finding. */
  readonly outcome: SigV4Problem | 'accepted' | 'key_unknown';
  readonly component?: string;
}

/** Names without their common "IAMAuth_". The vectors' service `iam` is our `sts`, their dates are those of our request. */
const INTERPRETATIONS: Readonly<Record<string, Interpretation>> = {
  invalid_auth_header: { request: authorization('invalid_header'), outcome: 'scheme_unknown' },
  unsupported_signature_version: {
    request: changeAuthorization(good(), 'AWS4-HMAC-SHA256', 'AWS2-HMAC-SHA1'),
    outcome: 'scheme_unknown',
  },
  malformed_component: {
    request: authorization(
      'AWS4-HMAC-SHA256 Credential=access/20250912/us-east-1/iam/aws4_request,SignedHeaders-Content-Length,Signature=signature',
    ),
    outcome: 'component_malformed',
    component: 'SignedHeaders-Content-Length',
  },
  missing_authorization_component: {
    request: changeAuthorization(good(), /SignedHeaders=[^,]*, /, ''),
    outcome: 'component_missing',
    component: 'SignedHeaders',
  },
  malformed_credential: {
    request: credential('access/20261123/us-east-1/sts/extra/things'),
    outcome: 'credential_malformed',
    component: 'access/20261123/us-east-1/sts/extra/things',
  },
  credentials_invalid_terminal: {
    request: credential('access/20261123/us-east-1/sts/aws_request'),
    outcome: 'scope_terminal',
    component: 'aws_request',
  },
  credentials_incorrect_service: {
    request: credential('access/20261123/us-east-1/ec2/aws4_request'),
    outcome: 'scope_service',
    component: 'ec2',
  },
  credentials_incorrect_region: {
    request: good(),
    region: 'us-west-1',
    outcome: 'scope_region',
    component: 'us-east-1',
  },
  credentials_invalid_date: {
    request: credential('access/3223423234/us-east-1/sts/aws4_request'),
    outcome: 'scope_date',
    component: '3223423234',
  },
  credentials_future_date: {
    request: good(),
    nowSeconds: SIGNED_AT - 5 * DAY,
    outcome: 'clock_skewed',
    component: '20261123T010203Z',
  },
  credentials_past_date: {
    request: good(),
    nowSeconds: SIGNED_AT + 5 * DAY,
    outcome: 'clock_skewed',
    component: '20261123T010203Z',
  },
  credentials_non_existing_access_key: {
    request: changeAuthorization(good(), ACCESS_KEY_ID, 'ASIANOBODYSKEYATALL2'),
    outcome: 'key_unknown',
  },
  missing_date_header: {
    request: changeHeaders(good(), { 'x-amz-date': [''] }),
    outcome: 'date_missing',
    component: 'X-Amz-Date',
  },
  invalid_date_header: {
    request: changeHeaders(good(), { 'x-amz-date': ['03032006'] }),
    outcome: 'date_malformed',
    component: '03032006',
  },
  date_mismatch: {
    request: credential(`${ACCESS_KEY_ID}/20000101/us-east-1/sts/aws4_request`),
    outcome: 'scope_date',
    component: '20000101',
  },
  invalid_sha256_payload_hash_ignored: {
    request: changeHeaders(good(), { 'x-amz-content-sha256': ['invalid_sha256'] }),
    outcome: 'accepted',
  },
  unsigned_required_header: {
    request: changeAuthorization(good(), 'SignedHeaders=host;', 'SignedHeaders='),
    outcome: 'host_unsigned',
    component: 'host',
  },
  unsigned_non_required_header: {
    request: changeHeaders(good(), {
      'content-type': ['text/plain'],
      'x-amz-copy-source': ['source-bucket/source-key'],
      'x-amz-tagging': ['key=value'],
      'x-custom-header': ['value'],
      'x-another-custom-header': ['value'],
    }),
    outcome: 'accepted',
  },
  signature_error_incorrect_secret_key: {
    request: good(),
    key: signingKey('another', { date: '20261123', region: 'us-east-1', service: 'sts' }),
    outcome: 'signature_mismatch',
  },
  sigv2_not_supported: {
    request: authorization('AWS seed_signature'),
    outcome: 'unsupported_version',
    component: 'AWS',
  },
  with_expect_header: { request: changeHeaders(good(), { expect: ['100-continue'] }), outcome: 'accepted' },
};

/** The vectors' error constructors, and the problems that a wire answers with them. */
const CONSTRUCTORS: Readonly<Record<string, readonly Interpretation['outcome'][]>> = {
  ErrMissingAuthenticationToken: ['auth_missing', 'scheme_unknown'],
  IncompleteSignatureMalformedComponent: ['component_malformed'],
  IncompleteSignatureMissingAuthorizationComponent: ['component_missing'],
  IncompleteSignatureMalformedCredential: ['credential_malformed'],
  ErrInvalidTerminal: ['scope_terminal'],
  ErrIncorrectService: ['scope_service'],
  ErrInvalidRegion: ['scope_region'],
  ErrInvalidCredentialDate: ['scope_date'],
  ErrInvalidClientTokenID: ['key_unknown'],
  IncompleteSignatureMissingDate: ['date_missing'],
  IncompleteSignatureInvalidXAmzDate: ['date_malformed'],
  ErrMissingHostSignedHeader: ['host_unsigned'],
  ErrSignatureDoesNotMatch: ['signature_mismatch'],
  ErrUnsupportedSignatureVersion: ['unsupported_version'],
};

/** Of the error catalogue: what else concerns signatures, and the problem that it answers. */
const CATALOGUE_ONLY: Readonly<Record<string, readonly SigV4Problem[]>> = {
  ErrUnsupportedQueryAlgorithm: ['unsupported_algorithm'],
  ErrIncompleteSignature: ['signed_headers_malformed', 'duplicated', 'query_auth_mixed'],
  ErrMissingAuthorizationComponents: ['component_missing'],
  IncorrectServiceScope: ['scope_service'],
};

function outcomeOf(one: Interpretation): Interpretation['outcome'] | SigV4Failure {
  const claim = readSignature(one.request, {
    service: 'sts',
    region: one.region ?? 'us-east-1',
    nowSeconds: one.nowSeconds ?? SIGNED_AT,
  });
  if (!claim.ok) return claim.error;
  if (claim.value.accessKeyId !== ACCESS_KEY_ID) return 'key_unknown';
  const key = one.key ?? keyFor('sts');
  const verified = verifySignature(one.request, claim.value, { key, payloadHash: EMPTY_HASH, pathEncoding: 'double' });
  return verified.ok ? 'accepted' : verified.error;
}

describeVectors('versitygw SigV4 header negatives', () => {
  const { iam_header: vectors } = Negatives.parse(readVectors('versitygw/sigv4-header-negative.json'));

  it('has 21 cases, each interpreted', () => {
    expect(vectors).toHaveLength(21);
    expect(vectors.map(({ name }) => name)).toEqual(Object.keys(INTERPRETATIONS).map((name) => `IAMAuth_${name}`));
  });

  it.each(vectors)('$name', ({ name, expected, success }) => {
    const one = INTERPRETATIONS[name.replace('IAMAuth_', '')];
    if (one === undefined) throw new Error('not interpreted');
    const outcome = outcomeOf(one);
    if (typeof outcome === 'string') expect(outcome).toBe(one.outcome);
    else expect(outcome).toMatchObject({ problem: one.outcome, ...(one.component && { component: one.component }) });
    expect(one.outcome === 'accepted').toBe(success === true);
    for (const text of expected) {
      const maker = /^(?:GetAPIError\(iamerr\.)?(\w+)/.exec(text)?.[1] ?? '';
      expect(CONSTRUCTORS[maker]).toContain(one.outcome);
    }
  });
});

describeVectors('AWS error catalogue, as far as it concerns signatures', () => {
  const { errors } = Catalogue.parse(readVectors('versitygw/error-catalogue.json'));
  const codes = ['IncompleteSignature', 'SignatureDoesNotMatch', 'MissingAuthenticationToken', 'InvalidClientTokenId'];

  it('has a problem of ours for every error, so that a wire can answer each', () => {
    const named = Object.entries(errors).filter(([, { code }]) => codes.includes(code));
    const answered = new Set([...Object.keys(CONSTRUCTORS), ...Object.keys(CATALOGUE_ONLY)]);
    expect(named.map(([name]) => name).filter((name) => !answered.has(name))).toEqual([]);
  });
});
