// What callers are told of each refusal, and what each call needs.
import { describe, expect, test } from 'vitest';
import { describeVectors, readVectors } from '../../../test/conformance/vectors.ts';
import { REASONS, type Reason } from '../../base/core/reasons.ts';
import { SIGV4_PROBLEMS, type SigV4Problem } from '../../base/sigv4/problem.ts';
import type { S3Call } from './call.ts';
import { type S3ErrorCode, s3Error } from './errors.ts';
import { payloadError } from './payload/payload-error.ts';
import { deletePermission, listPermission, permissionsFor, signatureConditionKeys } from './permissions.ts';
import { refuseReason, refuseStored, type StoreFailure } from './refusals.ts';
import { readS3Call } from './request.ts';
import { refuseSignature } from './signature-refusals.ts';

function call(line: string, headers: Readonly<Record<string, string>> = {}): S3Call {
  const [, method = '', path = '', query = ''] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
  const values = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const answer = readS3Call({ method, path, query, headers: values });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}

describe('a refusal of the gateway', () => {
  test.each<[Reason, S3ErrorCode, number]>([
    ['session_ended', 'ExpiredToken', 400],
    ['session_expired', 'ExpiredToken', 400],
    ['token_expired', 'ExpiredToken', 400],
    ['group_mismatch', 'InvalidToken', 400],
    ['signature_invalid', 'InvalidToken', 400],
    ['token_malformed', 'InvalidToken', 400],
    ['credential_missing', 'InvalidAccessKeyId', 403],
    ['permission_denied', 'AccessDenied', 403],
    ['role_unknown', 'AccessDenied', 403],
    ['feed_stale', 'ServiceUnavailable', 503],
    ['upstream_unreachable', 'ServiceUnavailable', 503],
    ['request_malformed', 'InvalidRequest', 400],
    ['internal_failure', 'InternalError', 500],
  ])('%s is %s', (reason, code, status) => {
    expect(refuseReason(reason)).toMatchObject({ code, status });
  });

  test('is never a success, and asks to be repeated only when that may help', () => {
    for (const reason of Object.keys(REASONS) as Reason[]) {
      const error = refuseReason(reason);
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.retryAfterSeconds !== undefined).toBe(error.status === 503);
    }
  });
});

describe('a refusal of the store', () => {
  const asked = call('GET /data/k');

  test.each<[StoreFailure, S3ErrorCode, number]>([
    [{ problem: 'bucket_unknown' }, 'NoSuchBucket', 404],
    [{ problem: 'key_unknown' }, 'NoSuchKey', 404],
    [{ problem: 'upload_unknown' }, 'NoSuchUpload', 404],
    [{ problem: 'precondition_failed' }, 'PreconditionFailed', 412],
    [{ problem: 'not_modified' }, 'NotModified', 304],
    [{ problem: 'conflict' }, 'ConditionalRequestConflict', 409],
    [{ problem: 'range_unsatisfiable', current: { size: 5 } }, 'InvalidRange', 416],
    [{ problem: 'part_invalid' }, 'InvalidPart', 400],
    [{ problem: 'part_order' }, 'InvalidPartOrder', 400],
    [{ problem: 'part_too_small' }, 'EntityTooSmall', 400],
    [{ problem: 'too_large' }, 'EntityTooLarge', 400],
    [{ problem: 'quota_exceeded' }, 'QuotaExceeded', 403],
    [{ problem: 'payload_refused', cause: payloadError('BadDigest') }, 'BadDigest', 400],
    [{ problem: 'payload_refused', cause: new Error('connection reset') }, 'IncompleteBody', 400],
    [{ problem: 'payload_refused' }, 'IncompleteBody', 400],
    [{ problem: 'aborted' }, 'RequestTimeout', 400],
    [{ problem: 'storage_unavailable' }, 'ServiceUnavailable', 503],
    [{ problem: 'not_supported' }, 'NotImplemented', 501],
  ])('%j is %s', (failure, code, status) => {
    expect(refuseStored(failure, asked)).toMatchObject({ code, status });
  });

  test('names what was asked for, and nothing else', () => {
    const elements = (failure: StoreFailure, of: S3Call = asked) => refuseStored(failure, of).elements;
    expect(elements({ problem: 'key_unknown' })).toEqual([['Key', 'k']]);
    expect(elements({ problem: 'key_unknown' }, call('PUT /data/k', { 'x-amz-copy-source': 'from/s' }))).toEqual([
      ['Key', 's'],
    ]);
    expect(elements({ problem: 'bucket_unknown' })).toEqual([['BucketName', 'data']]);
    expect(elements({ problem: 'upload_unknown' }, call('DELETE /data/k?uploadId=u'))).toEqual([['UploadId', 'u']]);
    expect(elements({ problem: 'range_unsatisfiable', current: { size: 5 } })).toEqual([['ActualObjectSize', '5']]);
  });
});

describe('a refused signature', () => {
  const refused = (problem: SigV4Problem, more: { component?: string; form?: 'header' | 'query' } = {}) =>
    refuseSignature(
      { problem, detail: 'secret', ...(more.component === undefined ? {} : { component: more.component }) },
      {
        request: {
          method: 'GET',
          path: '/',
          query: '',
          headers: new Map(more.form === 'query' ? [] : [['authorization', ['AWS4-HMAC-SHA256 x']]]),
        },
        region: 'eu-west-1',
        nowSeconds: 1_748_780_000,
      },
    );

  test.each<[SigV4Problem, S3ErrorCode, S3ErrorCode]>([
    ['auth_missing', 'AccessDenied', 'AccessDenied'],
    ['scheme_unknown', 'InvalidArgument', 'InvalidArgument'],
    ['unsupported_version', 'InvalidRequest', 'InvalidRequest'],
    ['unsupported_algorithm', 'InvalidRequest', 'AuthorizationQueryParametersError'],
    ['query_auth_mixed', 'InvalidArgument', 'InvalidArgument'],
    ['duplicated', 'InvalidRequest', 'InvalidRequest'],
    ['component_malformed', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['component_missing', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['credential_malformed', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['scope_terminal', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['scope_service', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['scope_region', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['scope_date', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['date_missing', 'AccessDenied', 'AuthorizationQueryParametersError'],
    ['date_malformed', 'AccessDenied', 'AuthorizationQueryParametersError'],
    ['clock_skewed', 'RequestTimeTooSkewed', 'AccessDenied'],
    ['presign_lifetime', 'AuthorizationQueryParametersError', 'AuthorizationQueryParametersError'],
    ['presign_expired', 'AccessDenied', 'AccessDenied'],
    ['signed_headers_malformed', 'AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    ['signed_header_absent', 'SignatureDoesNotMatch', 'SignatureDoesNotMatch'],
    ['host_unsigned', 'AccessDenied', 'AccessDenied'],
    ['headers_unsigned', 'AccessDenied', 'AccessDenied'],
    ['signature_malformed', 'SignatureDoesNotMatch', 'SignatureDoesNotMatch'],
    ['signature_mismatch', 'SignatureDoesNotMatch', 'SignatureDoesNotMatch'],
    ['path_malformed', 'InvalidURI', 'InvalidURI'],
    ['query_malformed', 'InvalidURI', 'InvalidURI'],
    ['header_malformed', 'InvalidRequest', 'InvalidRequest'],
  ])('for %s is %s in the header form, %s in the query form', (problem, header, query) => {
    expect(refused(problem).code).toBe(header);
    expect(refused(problem, { form: 'query' }).code).toBe(query);
  });

  test('is told for every problem, and never in the operator’s words', () => {
    for (const problem of Object.keys(SIGV4_PROBLEMS) as SigV4Problem[]) {
      expect(JSON.stringify(refused(problem))).not.toContain('secret');
    }
  });

  test('tells a client with a wrong clock what time it is', () => {
    expect(refused('clock_skewed', { component: '20250601T000000Z' })).toMatchObject({
      status: 403,
      elements: [
        ['RequestTime', '20250601T000000Z'],
        ['ServerTime', '2025-06-01T12:13:20Z'],
        ['MaxAllowedSkewMilliseconds', '900000'],
      ],
    });
  });

  test('tells a client with a wrong region the right one', () => {
    expect(refused('scope_region', { component: 'us-east-1' })).toMatchObject({
      message: 'The authorization header is malformed; the region "us-east-1" is wrong; expecting "eu-west-1"',
      elements: [['Region', 'eu-west-1']],
    });
  });

  test.each([
    ['604801', 'less than a week'],
    ['-1', 'non-negative'],
    ['0', 'non-negative'],
    ['x', 'a number'],
  ])('says what is wrong with a lifetime of %s', (component, words) => {
    expect(refused('presign_lifetime', { component, form: 'query' }).message).toContain(words);
  });
});

describe('the permissions of a call', () => {
  const SOURCE = { 'x-amz-copy-source': 'from/s' };
  const needs = (line: string, headers: Readonly<Record<string, string>> = {}): string[] => {
    const asked = call(line, headers);
    const permissions = permissionsFor(asked) ?? [];
    return permissions.map(({ action, resource }) => `${action} ${resource}`);
  };
  const K = 'arn:aws:s3:::data/a b';

  test.each<[string, Readonly<Record<string, string>>, string[]]>([
    ['GET /', {}, ['s3:ListAllMyBuckets arn:aws:s3:::*']],
    ['HEAD /data', {}, ['s3:ListBucket arn:aws:s3:::data']],
    ['GET /data?location', {}, ['s3:GetBucketLocation arn:aws:s3:::data']],
    ['GET /data', {}, ['s3:ListBucket arn:aws:s3:::data']],
    ['GET /data?list-type=2', {}, ['s3:ListBucket arn:aws:s3:::data']],
    ['GET /data/a%20b', {}, [`s3:GetObject ${K}`]],
    ['HEAD /data/a%20b', {}, [`s3:GetObject ${K}`]],
    ['PUT /data/a%20b', {}, [`s3:PutObject ${K}`]],
    ['PUT /data/a%20b', { 'if-none-match': '*' }, [`s3:PutObject ${K}`]],
    ['PUT /data/a%20b', { 'if-match': '"e"' }, [`s3:PutObject ${K}`, `s3:GetObject ${K}`]],
    ['PUT /data/a%20b', SOURCE, [`s3:PutObject ${K}`, 's3:GetObject arn:aws:s3:::from/s']],
    ['DELETE /data/a%20b', {}, [`s3:DeleteObject ${K}`]],
    ['DELETE /data/a%20b', { 'if-match': '"e"' }, [`s3:DeleteObject ${K}`, `s3:GetObject ${K}`]],
    ['POST /data/a%20b?uploads', {}, [`s3:PutObject ${K}`]],
    ['PUT /data/a%20b?partNumber=1&uploadId=u', {}, [`s3:PutObject ${K}`]],
    ['PUT /data/a%20b?partNumber=1&uploadId=u', SOURCE, [`s3:PutObject ${K}`, 's3:GetObject arn:aws:s3:::from/s']],
    ['POST /data/a%20b?uploadId=u', {}, [`s3:PutObject ${K}`]],
    ['DELETE /data/a%20b?uploadId=u', {}, [`s3:AbortMultipartUpload ${K}`]],
    ['GET /data/a%20b?uploadId=u', {}, [`s3:ListMultipartUploadParts ${K}`]],
  ])('%s %j', (line, headers, wanted) => {
    expect(needs(line, headers)).toEqual(wanted);
  });

  test('of single keys', () => {
    expect(deletePermission({ bucket: 'data', key: '*' })).toEqual({
      action: 's3:DeleteObject',
      resource: 'arn:aws:s3:::data/*',
    });
    expect(listPermission('data')).toEqual({ action: 's3:ListBucket', resource: 'arn:aws:s3:::data' });
  });

  test('may depend on the signature', () => {
    const claim = {
      date: 'd',
      region: 'r',
      service: 's3',
      accessKeyId: 'A',
      signedAt: 100,
      amzDate: 'x',
      signedHeaders: [],
    };
    const rest = { signature: 's', securityToken: null };
    const header = { ...claim, ...rest, form: 'header', expiresSeconds: null, payloadHash: 'h' } as const;
    expect(Object.fromEntries(signatureConditionKeys(header, 101_500))).toEqual({
      's3:authtype': 'REST-HEADER',
      's3:signatureage': '1500',
      's3:signatureversion': 'AWS4-HMAC-SHA256',
      's3:x-amz-content-sha256': 'h',
    });
    const query = { ...claim, ...rest, form: 'query', expiresSeconds: 60, payloadHash: null } as const;
    expect(Object.fromEntries(signatureConditionKeys(query, 99_000))).toMatchObject({
      's3:authtype': 'REST-QUERY-STRING',
      's3:signatureage': '0',
      's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    });
  });
});

describeVectors('the error catalogue of AWS’s other services', () => {
  test('gives the codes that S3 shares with them the statuses that they have here', () => {
    const { errors } = readVectors('versitygw/error-catalogue.json') as {
      readonly errors: Readonly<Record<string, { readonly code: string; readonly http: string }>>;
    };
    const statuses: Readonly<Record<string, number>> = { StatusBadRequest: 400, StatusForbidden: 403 };
    const shared = (code: S3ErrorCode): (number | undefined)[] =>
      Object.values(errors).flatMap((error) => (error.code === code ? [statuses[error.http]] : []));
    for (const code of ['AccessDenied', 'SignatureDoesNotMatch', 'InvalidRequest'] as const) {
      expect(shared(code)).toContain(s3Error(code).status);
    }
  });
});
