// Azure's own clients against the STS over https under a private CA: what they get, what they make of refusals, how often they ask.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/base/core/secret.ts';
import { openAccessToken } from '../../src/base/credential/access-token.ts';
import { requireClient } from '../clients.ts';
import { assertionOf, azurePolicies, CLIENT_ID, SUBJECT, withoutIds } from '../fakes/azure-calls.ts';
import { noAnswer } from '../fakes/fake-job-issuer.ts';
import { makePrivateCa, type PrivateCa } from '../fakes/private-ca.ts';
import { AZURE_TENANT } from '../fakes/roles.ts';
import { type ServedSts, serveSts } from '../fakes/served-sts.ts';
import { keysOf, STS_URL, type StsWorldOptions } from '../fakes/sts-world.ts';
import type { SignIn } from './azure-client.ts';
import { ClientHome, runClient } from './client-processes.ts';

const openssl = requireClient('openssl');
/** With how often each asks when it is refused: DefaultAzureCredential tries its managed identity with the same token. */
const CLIENTS = [
  ['WorkloadIdentityCredential', 1],
  ['ClientAssertionCredential', 1],
  ['DefaultAzureCredential', 2],
  ['msal-node', 1],
] as const;
const OTHER_GUID = '99999999-2222-4333-8444-555555555555';
const TOKEN_ROUTE = '/:tenant/oauth2/v2.0/token';
const DISCOVERY_ROUTE = '/:tenant/v2.0/.well-known/openid-configuration';

describe.skipIf(openssl === undefined)('over https', () => {
  let ca: PrivateCa;
  let caHome: ClientHome;
  let sts: ServedSts;
  let home: ClientHome;

  const serve = (options: StsWorldOptions = {}): Promise<ServedSts> =>
    serveSts({
      tls: { certificate: readFileSync(ca.certificate, 'utf8'), key: new Secret(readFileSync(ca.key, 'utf8')) },
      policies: azurePolicies(),
      registration: { jobStatus: { kind: 'none' } },
      ...options,
    });

  beforeAll(async () => {
    caHome = new ClientHome();
    ca = makePrivateCa(openssl ?? '', caHome.folder);
    sts = await serve();
  });
  afterAll(async () => {
    await sts?.close();
    caHome.close();
  });
  beforeEach(() => {
    sts.calls.length = 0;
    home = new ClientHome();
  });
  afterEach(() => home.close());

  interface Asked {
    readonly at?: ServedSts;
    readonly env?: Readonly<Record<string, string>>;
  }

  /** What a client in a process of its own makes of an assertion in a file, which ends in a line break. */
  const signIn = async (client: string, assertion: string, { at = sts, env = {} }: Asked = {}): Promise<SignIn> => {
    const run = await runClient(process.execPath, [join(import.meta.dirname, 'azure-client.ts'), client], {
      ...home.variables,
      NODE_EXTRA_CA_CERTS: ca.ca,
      AZURE_AUTHORITY_HOST: at.url,
      AZURE_TENANT_ID: AZURE_TENANT,
      AZURE_CLIENT_ID: CLIENT_ID,
      AZURE_FEDERATED_TOKEN_FILE: home.write('token', `${assertion}\n`),
      ...env,
    });
    expect(run.stdout, run.stderr).not.toBe('');
    return JSON.parse(run.stdout);
  };

  const tokenCalls = ({ calls }: ServedSts): readonly string[] => calls.filter((call) => call.startsWith(TOKEN_ROUTE));

  const refusalOf = async (...asked: Parameters<typeof signIn>): Promise<string> => {
    const ended = await signIn(...asked);
    if (ended.ok) throw new Error('was granted');
    return ended.message;
  };

  describe.each(CLIENTS)('%s', (client, attempts) => {
    test('signs in with a job’s token, and gets an access token of ours', async () => {
      const ended = await signIn(client, await assertionOf(sts.world));
      if (!ended.ok) throw new Error(ended.message);
      const [session] = [...sts.world.store.sessions.values()].slice(-1);
      const opened = await openAccessToken(ended.token, {
        issuer: STS_URL,
        groups: ['artifacts'],
        keys: keysOf(sts.world.key.publicJwk),
        nowSeconds: sts.world.clock.nowSeconds(),
        skewSeconds: 30,
      });
      expect(opened).toMatchObject({ ok: true, value: { session: { role: 'main/deploy', sessionId: session?.id } } });
      // Counted by the client from when the answer came.
      const expiresAt = session?.expiresAt ?? 0;
      expect(Math.abs(ended.expiresAtMs / 1000 - expiresAt)).toBeLessThan(60);
      expect(sts.calls).toEqual([`${DISCOVERY_ROUTE} 200`, `${TOKEN_ROUTE} 200`]);
    });

    test('hears one and the same of an unknown tenant, an unknown application and another subject', async () => {
      const assertion = await assertionOf(sts.world);
      const refusals = [
        await refusalOf(client, assertion, { env: { AZURE_TENANT_ID: OTHER_GUID } }),
        await refusalOf(client, assertion, { env: { AZURE_CLIENT_ID: OTHER_GUID } }),
        await refusalOf(client, await assertionOf(sts.world, { sub: `${SUBJECT}-2` })),
      ];
      expect(refusals[0]).toContain('AADSTS70021: No matching federated identity record found');
      expect(new Set(refusals.map(withoutIds)).size).toBe(1);
      expect(tokenCalls(sts)).toEqual(Array(refusals.length * attempts).fill(`${TOKEN_ROUTE} 400`));
    });

    test('hears at once that its assertion expired', async () => {
      const now = sts.world.clock.nowSeconds();
      const expired = await assertionOf(sts.world, { iat: now - 900, nbf: now - 900, exp: now - 300 });
      expect(await refusalOf(client, expired)).toContain('AADSTS700024');
      expect(tokenCalls(sts)).toEqual(Array(attempts).fill(`${TOKEN_ROUTE} 401`));
    });

    test('gets nowhere when it does not know the CA', async () => {
      await refusalOf(client, await assertionOf(sts.world), { env: { NODE_EXTRA_CA_CERTS: '' } });
      expect(sts.calls).toEqual([]);
    });
  });

  test('a client asks again while the issuer’s keys cannot be fetched', async () => {
    const lost = await serve({
      before: (world) => world.issuer.handlers.set('/.well-known/openid-configuration', () => noAnswer()),
    });
    const assertion = await assertionOf(lost.world);
    expect(await refusalOf('WorkloadIdentityCredential', assertion, { at: lost })).toContain('AADSTS90033');
    expect(tokenCalls(lost)).toEqual(Array(4).fill(`${TOKEN_ROUTE} 503`));
    await lost.close();
  });

  test('an authority with a slash at its end is the same', async () => {
    const ended = await signIn('WorkloadIdentityCredential', await assertionOf(sts.world), {
      env: { AZURE_AUTHORITY_HOST: `${sts.url}/` },
    });
    expect(ended).toMatchObject({ ok: true });
  });
});
