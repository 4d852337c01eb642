// The AWS SDK's clients as tests point them at another S3 and STS than AWS's. They try once, so that a refusal is seen at once.
import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
  STSClient,
  STSServiceException,
} from '@aws-sdk/client-sts';

const REGION = 'us-east-1';

/** What signs a request: a static key, or a session's three parts. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** An S3 client with path-style addresses. Ceph 16 knows no checksum trailers, so none are sent unasked. */
export const s3Client = (endpoint: string, credentials: Credentials): S3Client =>
  new S3Client({
    endpoint,
    credentials: { ...credentials },
    region: REGION,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

/** The status of a refused call; its other failures are thrown on. */
export async function refusalOf(call: Promise<unknown>): Promise<number | undefined> {
  try {
    await call;
    return undefined;
  } catch (cause) {
    if (cause instanceof S3ServiceException || cause instanceof STSServiceException)
      return cause.$metadata.httpStatusCode;
    throw cause;
  }
}

/** A web identity's call for credentials. */
export async function assumeRole(
  endpoint: string,
  input: AssumeRoleWithWebIdentityCommandInput,
): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  // The call is not signed; the client wants credentials all the same.
  const unused = { accessKeyId: 'unused', secretAccessKey: 'unused' };
  const client = new STSClient({ endpoint, region: REGION, maxAttempts: 1, credentials: unused });
  try {
    return await client.send(new AssumeRoleWithWebIdentityCommand(input));
  } finally {
    client.destroy();
  }
}

/** The credentials of an answer, in the form in which clients are given them. */
export function credentialsOf({ Credentials: given }: AssumeRoleWithWebIdentityCommandOutput): Required<Credentials> {
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
}
