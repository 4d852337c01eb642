// boto3 as a job runs it, with nothing but its environment.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { requirePythonModule } from '../../clients.ts';
import type { Setting } from './setting.ts';

const python = requirePythonModule('boto3');

/** What every script begins with: the client, the last line's answer, and how a refusal is told. */
const HEAD = `
import boto3, hashlib, io, json, os, urllib.request, urllib.error
from botocore.config import Config
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
B = "artifacts"
def tell(*values): print(json.dumps(values))
def code(call, **how):
    try:
        call(**how)
        return "done"
    except ClientError as e:
        return "%s %s" % (e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"])
def fetch(url, method="GET", data=None, headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method, headers=headers)) as a:
            return [a.status, a.read().decode()]
    except urllib.error.HTTPError as e:
        return [e.code, e.read().decode()]
`;

/** What boto3 must be able to do, and what it must be told. */
export function boto3Cases(setting: Setting): void {
  /** Runs a script to its end; what it told comes back. */
  const tells = async (script: string): Promise<unknown> => {
    const { status, stdout, stderr } = await setting.job.run(python ?? '', ['-c', `${HEAD}${script}`]);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };

  test.skipIf(python === undefined)('stores, reads, lists, copies and deletes, in one piece and in many', async () => {
    const data = setting.home.write('data', randomBytes(1_000_000).toString('base64').repeat(16));
    const told = await tells(`
name = "boto/a b+c/é %2F.txt"
s3.put_object(Bucket=B, Key=name, Body=b"hello", ContentType="text/x", Metadata={"job": "7"})
got = s3.get_object(Bucket=B, Key=name)
part = s3.get_object(Bucket=B, Key=name, Range="bytes=1-3")
s3.upload_file("${data}", B, "boto/big")
big = io.BytesIO()
s3.download_fileobj(B, "boto/big", big)
same = hashlib.sha256(big.getvalue()).hexdigest() == hashlib.sha256(open("${data}", "rb").read()).hexdigest()
s3.copy_object(Bucket=B, Key="boto/copy", CopySource={"Bucket": B, "Key": name})
listed = [o["Key"] for o in s3.list_objects_v2(Bucket=B, Prefix="boto/")["Contents"]]
old = [o["Key"] for o in s3.list_objects(Bucket=B, Prefix="boto/")["Contents"]]
gone = s3.delete_objects(Bucket=B, Delete={"Objects": [{"Key": k} for k in listed]})
tell(got["Body"].read().decode(), got["ContentType"], got["Metadata"], part["Body"].read().decode(), same,
  listed, old == listed, sorted(d["Key"] for d in gone["Deleted"]), gone.get("Errors"), s3.list_objects_v2(Bucket=B, Prefix="boto/")["KeyCount"])
`);
    const names = ['boto/a b+c/é %2F.txt', 'boto/big', 'boto/copy'];
    expect(told).toEqual(['hello', 'text/x', { job: '7' }, 'ell', true, names, true, names, null, 0]);
  });

  test.skipIf(python === undefined)(
    'writes under conditions: the first wins, and only who knows the object replaces it',
    async () => {
      const told = await tells(`
first = s3.put_object(Bucket=B, Key="lock", Body=b"1", IfNoneMatch="*")
tell(code(s3.put_object, Bucket=B, Key="lock", Body=b"2", IfNoneMatch="*"),
  code(s3.put_object, Bucket=B, Key="lock", Body=b"3", IfMatch='"0"'),
  code(s3.put_object, Bucket=B, Key="lock", Body=b"4", IfMatch=first["ETag"]),
  code(s3.put_object, Bucket=B, Key="nowhere", Body=b"5", IfMatch=first["ETag"]),
  s3.get_object(Bucket=B, Key="lock")["Body"].read().decode())
`);
      expect(told).toEqual(['412 PreconditionFailed', '412 PreconditionFailed', 'done', '404 NoSuchKey', '4']);
    },
  );

  test.skipIf(python === undefined)(
    'presigns with SigV4, for reading and for writing; with SigV2 it is told what to do',
    async () => {
      const told = (await tells(`
v4 = boto3.client("s3", config=Config(signature_version="s3v4"))
put = v4.generate_presigned_url("put_object", Params={"Bucket": B, "Key": "pre signed+é"}, ExpiresIn=300)
get = v4.generate_presigned_url("get_object", Params={"Bucket": B, "Key": "pre signed+é"}, ExpiresIn=300)
old = boto3.client("s3", config=Config(signature_version="s3"), region_name="us-east-1").generate_presigned_url("get_object", Params={"Bucket": B, "Key": "pre signed+é"})
tell(fetch(put, "PUT", b"by url", {"content-type": ""}), fetch(get), fetch(get.replace("pre%20signed", "pre%20sealed")), fetch(old))
`)) as readonly (readonly [number, string])[];
      const [put, get, changed, old] = told;
      expect([put?.[0], get]).toEqual([200, [200, 'by url']]);
      expect([changed?.[0], changed?.[1]]).toEqual([
        403,
        expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
      ]);
      expect(old?.[0]).toBe(400);
      expect(old?.[1]).toContain('<Code>InvalidRequest</Code>');
      expect(old?.[1]).toContain('Please use AWS4-HMAC-SHA256');
    },
  );

  test.skipIf(python === undefined)('hears the codes that it has names for', async () => {
    const told = await tells(`
tell(code(s3.get_object, Bucket=B, Key="nowhere"), code(s3.head_object, Bucket=B, Key="nowhere"), code(s3.get_object, Bucket="other", Key="x"),
  code(s3.get_object, Bucket="no-such-bucket", Key="x"), code(s3.put_object_acl, Bucket=B, Key="x", ACL="public-read"),
  code(s3.put_object, Bucket=B, Key="x", Body=b"", StorageClass="GLACIER"), code(s3.create_bucket, Bucket="new-bucket"),
  code(boto3.client("s3", region_name="eu-west-1").list_objects_v2, Bucket=B),
  code(boto3.client("s3", config=Config(signature_version="s3")).list_objects_v2, Bucket=B))
`);
    expect(told).toEqual([
      '404 NoSuchKey',
      '404 404',
      '403 AccessDenied',
      '403 AccessDenied',
      '501 NotImplemented',
      '501 NotImplemented',
      '501 NotImplemented',
      // It reads the region out of the refusal and signs again.
      'done',
      '400 InvalidRequest',
    ]);
  });
}
