// The clouds whose words the demo's job may speak, and what of the stage depends on them. It starts and decides nothing.
import { AZURE_EXCHANGE_AUDIENCE } from '../../../base/credential/azure-names.ts';
import { gcpProviderAudiences } from '../../../base/credential/gcp-names.ts';

/** In the order in which `--cloud all` tells of them. */
export const CLOUDS = ['aws', 'gcp', 'azure'] as const;
export type Cloud = (typeof CLOUDS)[number];

/** What `--cloud` asks for; undefined when it is none of the words that there are. */
export function cloudsOf(word: string): readonly Cloud[] | undefined {
  if (word === 'all') return CLOUDS;
  const cloud = CLOUDS.find((name) => name === word);
  return cloud === undefined ? undefined : [cloud];
}

/** What the gateway is to clients of a cloud. */
export const STORE_OF = {
  aws: 'an S3',
  gcp: 'a Cloud Storage',
  azure: 'an Azure Blob storage',
} as const satisfies Record<Cloud, string>;

/** How people call it. */
export const NAME_OF = { aws: 'AWS', gcp: 'Google Cloud', azure: 'Azure' } as const satisfies Record<Cloud, string>;

/** Azure's clients send tokens over https only. One such client is enough: a gateway's doors share its certificate. */
export const needsTls = (clouds: readonly Cloud[]): boolean => clouds.includes('azure');

/** The storage account in the example's addresses of blobs. */
export const BLOB_ACCOUNT = 'acme';

const ROLES = ['publish-web', 'preview-web'] as const;
const POOL = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/web-shop';

/** The audiences that clients of the clouds have their tokens made for; those of AWS name the STS. */
export const cloudAudiences = (stsUrl: string): readonly string[] => [
  stsUrl,
  ...ROLES.flatMap((role) => gcpProviderAudiences(`${POOL}/providers/${role}`)),
  AZURE_EXCHANGE_AUDIENCE,
];
