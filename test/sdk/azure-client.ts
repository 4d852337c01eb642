// One sign-in by one of Azure's own clients, in a process of its own: it trusts the CA of NODE_EXTRA_CA_CERTS, which is read at the
// start alone. Prints what came of it as one line of JSON.
import { readFileSync } from 'node:fs';
import {
  type AccessToken,
  ClientAssertionCredential,
  DefaultAzureCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { ConfidentialClientApplication } from '@azure/msal-node';

/** How a sign-in ended. */
export type SignIn =
  | { readonly ok: true; readonly token: string; readonly expiresAtMs: number }
  | { readonly ok: false; readonly name: string; readonly message: string };

const SCOPE = 'https://storage.azure.com/.default';

const {
  AZURE_AUTHORITY_HOST = '',
  AZURE_CLIENT_ID = '',
  AZURE_FEDERATED_TOKEN_FILE = '',
  AZURE_TENANT_ID = '',
} = process.env;
/** An authority of one's own is not asked about at login.microsoftonline.com. */
const OWN = { authorityHost: AZURE_AUTHORITY_HOST, disableInstanceDiscovery: true };

const assertion = (): string => readFileSync(AZURE_FEDERATED_TOKEN_FILE, 'utf8');

/** By name; each finds what it needs in the environment that Azure's documentation names. */
const CLIENTS: Readonly<Record<string, () => Promise<AccessToken>>> = {
  WorkloadIdentityCredential: () => new WorkloadIdentityCredential(OWN).getToken(SCOPE),
  DefaultAzureCredential: () => new DefaultAzureCredential(OWN).getToken(SCOPE),
  ClientAssertionCredential: () =>
    new ClientAssertionCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, async () => assertion(), OWN).getToken(SCOPE),
  'msal-node': async () => {
    const client = new ConfidentialClientApplication({
      auth: {
        clientId: AZURE_CLIENT_ID,
        authority: `${AZURE_AUTHORITY_HOST}/${AZURE_TENANT_ID}`,
        clientAssertion: assertion(),
        knownAuthorities: [new URL(AZURE_AUTHORITY_HOST).host],
      },
    });
    const result = await client.acquireTokenByClientCredential({ scopes: [SCOPE] });
    return { token: result?.accessToken ?? '', expiresOnTimestamp: result?.expiresOn?.getTime() ?? 0 };
  },
};

async function signIn(name: string): Promise<SignIn> {
  try {
    const token = await CLIENTS[name]?.();
    if (token === undefined) throw new TypeError(`${name} is no client`);
    return { ok: true, token: token.token, expiresAtMs: token.expiresOnTimestamp };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, name: error.name, message: error.message };
  }
}

process.stdout.write(`${JSON.stringify(await signIn(process.argv[2] ?? ''))}\n`);
