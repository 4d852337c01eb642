// Names that Google's clients use: of workload identity providers, of service accounts, of identities in a pool. It only reads
// and writes names; who may be whom is policy.

/** A provider's full resource name taken apart. */
export interface GcpProviderName {
  /** `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`, as clients name it. */
  readonly name: string;
  /** A number: Google names providers by it, never by the project's id. */
  readonly project: string;
  /** `iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL`. */
  readonly pool: string;
}

// Google wants 4 to 32 characters of pools and providers; shorter ones are taken, because here they are the operator's own names.
const PROVIDER =
  /^(?:https:)?\/\/((iam\.googleapis\.com\/projects\/([0-9]{1,20})\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{1,32})\/providers\/[a-z0-9-]{1,32})$/;

/** Reads a provider's full name, with or without `https:` before it; undefined for anything else. */
export function parseGcpProvider(text: string): GcpProviderName | undefined {
  const [, name, pool, project] = PROVIDER.exec(text) ?? [];
  if (name === undefined || pool === undefined || project === undefined) return undefined;
  return { name: `//${name}`, project, pool };
}

/** What a token's `aud` may be that is made for this provider (Google, allowedAudiences). Precondition: `name` is a parsed one's. */
export const gcpProviderAudiences = (name: string): readonly string[] => [name, `https:${name}`];

const MAX_ACCOUNT_CHARS = 128;
const ACCOUNT = /^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9][a-z0-9.-]*\.gserviceaccount\.com$/;

/** Whether the text is the e-mail address of a service account; addresses of people are none. */
export const isGcpServiceAccount = (text: string): boolean => text.length <= MAX_ACCOUNT_CHARS && ACCOUNT.test(text);

/** How Google calls one identity of a pool. Precondition: `provider` is a parsed one's name. */
export function gcpPrincipal(provider: string, subject: string): string {
  const pool = parseGcpProvider(provider)?.pool;
  // A name that nobody checked must never become somebody's.
  if (pool === undefined) throw new TypeError('not the name of a provider');
  return `principal://${pool}/subject/${subject}`;
}
