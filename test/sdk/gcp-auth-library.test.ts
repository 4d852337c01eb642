// google-auth-library against /v1/token and generateAccessToken: every kind of source, with and without a service account, what it
// makes of refusals, and how often it asks.
import { readFileSync } from 'node:fs';
import { GoogleAuth, IdentityPoolClient, PluggableAuthClient } from 'google-auth-library';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openAccessToken } from '../../src/base/credential/access-token.ts';
import { noAnswer } from '../fakes/fake-job-issuer.ts';
import { ACCOUNT, gcpPolicies, OTHER_ACCOUNT, PLATFORM, PROVIDER } from '../fakes/gcp-calls.ts';
import { type ServedSts, serveSts } from '../fakes/served-sts.ts';
import { keysOf, STS_URL } from '../fakes/sts-world.ts';
import {
  type CredentialSource,
  externalAccount,
  GcpHome,
  serveTokens,
  type TokenEndpoint,
  WAYS,
} from './gcp-clients.ts';

let sts: ServedSts;
let home: GcpHome;
let endpoint: TokenEndpoint;

/** A provider with a role of its own beside the one of a service account. */
const ROLES = { direct: {}, publish: { account: ACCOUNT } };

beforeAll(async () => {
  vi.stubEnv('GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES', '1');
  sts = await serveSts({ policies: gcpPolicies(ROLES) });
  endpoint = await serveTokens(() => sts.world.issuer.idToken());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await endpoint.close();
  await sts.close();
});
beforeEach(() => {
  sts.calls.length = 0;
  home = new GcpHome();
});
afterEach(() => home.close());

const idToken = (changes: Parameters<typeof sts.world.issuer.idToken>[0] = {}) => sts.world.issuer.idToken(changes);
const inAnHour = (): number => sts.world.clock.nowSeconds() + 3600;

const SOURCES: readonly (readonly [string, () => Promise<CredentialSource>])[] = [
  ['a file', async () => home.fileSource(await idToken())],
  ['a URL with headers and JSON', async () => endpoint.source],
  ['a program', async () => home.executableSource(await idToken(), inAnHour())],
];

type AccountFile = ReturnType<typeof externalAccount>;

/** The client that google-auth-library makes of an external_account file. */
function clientOf(file: AccountFile): IdentityPoolClient | PluggableAuthClient {
  const options = { ...file, scopes: [PLATFORM] };
  return 'executable' in file.credential_source
    ? new PluggableAuthClient(options as unknown as ConstructorParameters<typeof PluggableAuthClient>[0])
    : new IdentityPoolClient(options);
}

const secondsLeft = ({ credentials }: ReturnType<typeof clientOf>): number =>
  ((credentials.expiry_date ?? 0) - Date.now()) / 1000;

const roleOf = async (token: string): Promise<unknown> => {
  const { clock, key } = sts.world;
  const opened = await openAccessToken(token, {
    issuer: STS_URL,
    groups: ['artifacts'],
    keys: keysOf(key.publicJwk),
    nowSeconds: clock.nowSeconds(),
    skewSeconds: 30,
  });
  return opened.ok ? opened.value.session.role : opened.error.reason;
};

const DIRECT = ['/v1/token 200'];
const IMPERSONATED = ['/v1/token 200', '/v1/projects/-/serviceAccounts/:call 200'];

describe.each(SOURCES)('with a token from %s', (_kind, source) => {
  test.each(WAYS)('a client gets what its role gives, %s', async (way, options) => {
    const client = clientOf(externalAccount(sts.url, await source(), options));
    const { token } = await client.getAccessToken();
    const isDirect = way === 'as itself';
    expect(await roleOf(token ?? '')).toBe(isDirect ? 'main/direct' : 'main/publish');
    expect(sts.calls).toEqual(isDirect ? DIRECT : IMPERSONATED);
    expect(secondsLeft(client)).toBeGreaterThan(1700);
    expect(secondsLeft(client)).toBeLessThanOrEqual(1800);
  });
});

test('GoogleAuth finds its way from the environment', async () => {
  const file = externalAccount(sts.url, endpoint.source, { account: ACCOUNT });
  // Without it the library asks Google what the project is called, and shows it the token.
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'acme');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', home.write('credentials.json', JSON.stringify(file)));
  const headers = await (await new GoogleAuth({ scopes: PLATFORM }).getClient()).getRequestHeaders();
  const token = headers.get('authorization')?.slice('Bearer '.length);
  expect(await roleOf(token ?? '')).toBe('main/publish');
});

describe('a provider whose roles all have service accounts', () => {
  let accounts: ServedSts;
  beforeAll(async () => {
    accounts = await serveSts({ policies: gcpPolicies({ publish: { account: ACCOUNT } }) });
  });
  afterAll(() => accounts.close());
  beforeEach(() => {
    accounts.calls.length = 0;
  });
  const source = async () => home.fileSource(await accounts.world.issuer.idToken());

  test('lets its clients take one on, and again when it is over', async () => {
    const client = clientOf(externalAccount(accounts.url, await source(), { account: ACCOUNT }));
    await client.getAccessToken();
    client.setCredentials({ ...client.credentials, expiry_date: Date.now() });
    await client.getAccessToken();
    expect(accounts.calls).toEqual([...IMPERSONATED, ...IMPERSONATED]);
  });

  test('keeps a lifetime that is asked for', async () => {
    const client = clientOf(externalAccount(accounts.url, await source(), { account: ACCOUNT, lifetimeSeconds: 600 }));
    await client.getAccessToken();
    expect(secondsLeft(client)).toBeGreaterThan(500);
    expect(secondsLeft(client)).toBeLessThanOrEqual(600);
  });

  test('tells its clients no more than that an account may not be taken on', async () => {
    const client = clientOf(externalAccount(accounts.url, await source(), { account: OTHER_ACCOUNT }));
    const error = await client.getAccessToken().catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("Permission 'iam.serviceAccounts.getAccessToken' denied");
    expect(String(error)).toContain('jobpass decisions show D');
    expect(accounts.calls).toEqual(['/v1/token 200', '/v1/projects/-/serviceAccounts/:call 403']);
  });
});

describe('a refusal', () => {
  const refused = async (token: string): Promise<string> => {
    const client = clientOf(externalAccount(sts.url, home.fileSource(token)));
    const error = await client.getAccessToken().catch((thrown: unknown) => thrown);
    return String(error);
  };

  test('of a condition is asked for once, and leads to its reason', async () => {
    const text = await refused(await idToken({ ref: 'refs/heads/dev' }));
    expect(text).toMatch(/Error code unauthorized_client: .* jobpass decisions show D[0-9A-Z]{12}/);
    expect(sts.calls).toEqual(['/v1/token 400']);
  });

  test('of a forged or expired token is an invalid_grant, asked for once', async () => {
    const now = sts.world.clock.nowSeconds();
    const forged = `${(await idToken()).slice(0, -8)}AAAAAAAA`;
    for (const token of [forged, await idToken({ iat: now - 900, nbf: now - 900, exp: now - 300 })]) {
      expect(await refused(token)).toContain('Error code invalid_grant');
    }
    expect(sts.calls).toEqual(['/v1/token 400', '/v1/token 400']);
  });

  test('for a moment is asked for again, and then granted', async () => {
    const broken = await serveSts({ policies: gcpPolicies(ROLES) });
    try {
      broken.world.issuer.handlers.set('/v1/introspect', () => {
        broken.world.issuer.handlers.delete('/v1/introspect');
        return noAnswer();
      });
      const source = home.fileSource(await broken.world.issuer.idToken());
      const { token } = await clientOf(externalAccount(broken.url, source)).getAccessToken();
      expect(token).toBeTruthy();
      expect(broken.calls).toEqual(['/v1/token 503', '/v1/token 200']);
    } finally {
      await broken.close();
    }
  });
});

test('the JSON of google-github-actions/auth is answered as the form is, and then its generateAccessToken', async () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${sts.url}${path}`, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const exchanged = await post('/v1/token', {
    audience: PROVIDER,
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
    scope: PLATFORM,
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    subjectToken: await idToken(),
  });
  const { access_token: federated } = (await exchanged.json()) as { access_token: string };
  for (const account of [ACCOUNT, encodeURIComponent(ACCOUNT)]) {
    const bearer = account === ACCOUNT ? federated : await directToken();
    const answer = await post(
      `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
      { delegates: [], lifetime: '3600s', scope: [PLATFORM] },
      { authorization: `Bearer ${bearer}` },
    );
    const { accessToken, expireTime } = (await answer.json()) as { accessToken: string; expireTime: string };
    expect(await roleOf(accessToken)).toBe('main/publish');
    expect(expireTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }
});

const directToken = async (): Promise<string> => {
  const client = clientOf(externalAccount(sts.url, home.fileSource(await idToken())));
  return (await client.getAccessToken()).token ?? '';
};

test('a token file keeps its line end and is taken', async () => {
  const source = home.fileSource(await idToken());
  expect(readFileSync(String(source.file), 'utf8')).toMatch(/\n$/);
  expect(await directToken()).toBeTruthy();
});
