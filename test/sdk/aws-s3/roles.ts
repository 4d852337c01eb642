// What the gateway makes of a role whose trust and permissions are written as AWS has them, and of narrowed sessions.
import { expect, test } from 'vitest';
import { requirePythonModule } from '../../clients.ts';
import { ACCOUNT, arnOf } from './job.ts';
import type { Setting } from './setting.ts';

const python = requirePythonModule('boto3');

/** Trusts by a document of AWS's, and permits by the tags that the token brought. */
export const TAGGED_ROLE = `role: tagged
trust:
  - aws:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal: { Federated: "arn:aws:iam::${ACCOUNT}:oidc-provider/PROVIDER" }
          Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
          Condition:
            StringEquals:
              "PROVIDER:sub": "owner:acme@42:pipeline:web@7:ref:refs/heads/main"
              "aws:RequestTag/pipeline_id": "7"
session: { gateway: artifacts, max_duration: 30m }
permissions:
  - effect: allow
    actions: ["s3:GetObject", "s3:PutObject"]
    resources: ["arn:aws:s3:::artifacts/teams/\${aws:PrincipalTag/pipeline_id}/*"]
  - effect: allow
    actions: ["s3:ListBucket"]
    resources: ["arn:aws:s3:::artifacts"]
    conditions: { StringLike: { "s3:prefix": "teams/\${aws:PrincipalTag/pipeline_id}/*" } }
aws: { role_arn: "${arnOf('tagged')}" }
`;

/** Assumes the role by hand, so that a session policy can be told; each call's outcome is told. */
const SCRIPT = `
import boto3, json, os
from botocore.exceptions import ClientError
def code(call, **how):
    try:
        return call(**how) and "done"
    except ClientError as e:
        return e.response["Error"]["Code"]
def client(**more):
    token = open(os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]).read()
    c = boto3.client("sts").assume_role_with_web_identity(RoleArn=os.environ["AWS_ROLE_ARN"], RoleSessionName="by-hand", WebIdentityToken=token, **more)["Credentials"]
    return boto3.client("s3", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
def outcomes(s3):
    return [code(s3.put_object, Bucket="artifacts", Key="teams/7/x", Body=b"x"), code(s3.get_object, Bucket="artifacts", Key="teams/7/x"),
        code(s3.put_object, Bucket="artifacts", Key="teams/8/x", Body=b"x"), code(s3.list_objects_v2, Bucket="artifacts", Prefix="teams/7/"),
        code(s3.list_objects_v2, Bucket="artifacts")]
`;

/** Roles by AWS's own documents. */
export function roleCases(setting: Setting): void {
  const tells = async (script: string, tags: readonly string[]): Promise<unknown> => {
    const job = await setting.startJob({ role: 'tagged', facts: { aws_session_tags: tags } });
    const { status, stdout, stderr } = await job.run(python ?? '', ['-c', `${SCRIPT}${script}`]);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };

  test.skipIf(python === undefined)('a session may do what the tags of its token say, and nothing beside', async () => {
    expect(await tells('print(json.dumps(outcomes(client())))', ['pipeline_id'])).toEqual([
      ...['done', 'done', 'AccessDenied', 'done', 'AccessDenied'],
    ]);
  });

  test.skipIf(python === undefined)('a token without the tag gets no session', async () => {
    expect(await tells('print(json.dumps(code(client)))', [])).toBe('AccessDenied');
    expect(await tells('print(json.dumps(code(client)))', ['ref'])).toBe('AccessDenied');
  });

  test.skipIf(python === undefined)(
    'a session policy takes away, and gives nothing that the role has not',
    async () => {
      const script = `
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": "*"}]}
s3 = client(Policy=json.dumps(policy))
print(json.dumps(outcomes(s3) + [code(s3.delete_object, Bucket="artifacts", Key="teams/7/x")]))`;
      expect(await tells(script, ['pipeline_id'])).toEqual([
        ...['AccessDenied', 'done', 'AccessDenied', 'AccessDenied', 'AccessDenied', 'AccessDenied'],
      ]);
    },
  );
}
