// RFC 7662: an inactive token has no other member, and an unclear answer is no answer.
import { expect, test } from 'vitest';
import {
  type ActiveToken,
  decodeIntrospectionRequest,
  decodeIntrospectionResponse,
  encodeIntrospectionResponse,
} from './introspection.ts';

const active: ActiveToken = {
  issuer: 'https://ci.example.com',
  subject: 'owner:acme@42',
  audience: 'https://sts.example.com',
  expiresAt: 1_800_000_600,
  issuedAt: 1_800_000_000,
  tokenId: 't',
  jobId: 'J1',
};

test('an answer comes back as it was said', () => {
  for (const token of [active, null]) {
    const read = decodeIntrospectionResponse(encodeIntrospectionResponse(token));
    expect(read.ok && read.value).toEqual(token);
  }
  expect(encodeIntrospectionResponse(null)).toEqual({ active: false });
});

test('anything but a clear yes or a clear no is unknown', () => {
  const whole = encodeIntrospectionResponse(active);
  const broken = [{}, { active: 'false' }, { active: true }, { ...whole, active: 1 }, { ...whole, job_id: '' }];
  for (const body of broken) {
    const read = decodeIntrospectionResponse(body);
    expect(!read.ok && read.error.reason).toBe('job_status_unknown');
  }
});

test('a request without a token is malformed', () => {
  const read = decodeIntrospectionRequest(new Map([['token', '']]));
  expect(!read.ok && read.error.reason).toBe('request_malformed');
});
