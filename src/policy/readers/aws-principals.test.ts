import { describe, expect, it } from 'vitest';
import { readPolicy } from '../read-policy.ts';

const document = (provider: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: provider },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { 'ci.example.com:sub': 'x' } },
      },
    ],
  });

/** The issuers that the policy trusts, or its problems. */
function read(text: string, anyAccount: boolean): readonly string[] {
  const role = readPolicy({ tenant: 'main', file: 'trust.json', text }, { anyAccount });
  return role.ok ? role.value.trust.flatMap(({ issuers }) => issuers) : role.error.map(({ message }) => message);
}

const INVALID = [expect.stringContaining('MalformedPolicyDocument: Invalid principal in policy')];
const TRUSTED = ['https://ci.example.com'];

describe('the account of a provider', () => {
  it.each([
    ['111122223333', TRUSTED, TRUSTED],
    ['', INVALID, TRUSTED],
    ['acme_ci', INVALID, TRUSTED],
    ['11112222333', INVALID, TRUSTED],
    ['acme-ci', INVALID, INVALID],
    ['*', INVALID, INVALID],
  ])('%j at AWS, and at an STS that has tenants instead', (account, atAws, elsewhere) => {
    const text = document(`arn:aws:iam::${account}:oidc-provider/ci.example.com`);
    expect(read(text, false)).toEqual(atAws);
    expect(read(text, true)).toEqual(elsewhere);
  });

  it('is twelve digits in a role of ours, whatever a document by itself may have', () => {
    const aws = JSON.parse(document('arn:aws:iam:::oidc-provider/ci.example.com'));
    const permissions = [{ effect: 'allow', actions: ['http:GET'], resources: ['arn:jobpass:http:::a/*'] }];
    const role = { role: 'trust', trust: [{ aws }], session: { gateway: 'a' }, permissions };
    expect(read(JSON.stringify(role), true)).toEqual(INVALID);
  });
});
