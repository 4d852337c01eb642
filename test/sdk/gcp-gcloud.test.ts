// gcloud against /v1/token, /v1/introspect and generateAccessToken, each run in a configuration folder of its own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseJws } from '../../src/base/jwt/jws.ts';
import { requireClient } from '../clients.ts';
import { ACCOUNT, gcpPolicies } from '../fakes/gcp-calls.ts';
import { type ServedSts, serveSts } from '../fakes/served-sts.ts';
import { type ClientRun, runClient } from './client-processes.ts';
import { externalAccount, GcpHome } from './gcp-clients.ts';

// Debian has no package of it, so CI cannot install it: where it is missing, the suite is skipped in sight of everybody.
const gcloud = requireClient('gcloud');

const PRINCIPAL =
  'principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/subject/owner:acme@42:pipeline:web@7:ref:refs/heads/main';

describe.skipIf(gcloud === undefined)('gcloud', () => {
  let sts: ServedSts;
  let home: GcpHome;

  beforeAll(async () => {
    sts = await serveSts({ policies: gcpPolicies({ direct: {}, publish: { account: ACCOUNT } }) });
  });
  afterAll(() => sts.close());
  beforeEach(() => {
    sts.calls.length = 0;
    home = new GcpHome();
  });
  afterEach(() => home.close());

  const run = (...args: string[]): Promise<ClientRun> =>
    runClient(gcloud ?? '', [...args, '--quiet'], home.environment());

  /** Logs in with a token of these claims, as itself or as the account. */
  async function login(
    claims: Parameters<typeof sts.world.issuer.idToken>[0] = {},
    account?: string,
  ): Promise<ClientRun> {
    const source = home.fileSource(await sts.world.issuer.idToken(claims));
    const file = externalAccount(sts.url, source, account === undefined ? {} : { account });
    return run('auth', 'login', `--cred-file=${home.write('credentials.json', JSON.stringify(file))}`);
  }

  const roleOf = (token: string): unknown => {
    const parsed = parseJws(token.trim());
    return parsed.ok ? parsed.value.claims.role : parsed.error.reason;
  };

  test('logs in as itself, and prints its token', { timeout: 60_000 }, async () => {
    const loggedIn = await login();
    expect(loggedIn.stderr).toContain(`Authenticated with external account credentials for: [${PRINCIPAL}]`);
    expect(loggedIn.status).toBe(0);
    expect(sts.calls).toEqual(['/v1/token 200', '/v1/introspect 200']);
    const printed = await run('auth', 'print-access-token');
    expect(printed.status, printed.stderr).toBe(0);
    expect(roleOf(printed.stdout)).toBe('main/direct');
  });

  test('logs in as a service account, and prints its token', { timeout: 60_000 }, async () => {
    const loggedIn = await login({}, ACCOUNT);
    expect(loggedIn.stderr).toContain(`Authenticated with external account credentials for: [${ACCOUNT}]`);
    const printed = await run('auth', 'print-access-token');
    expect(printed.status, printed.stderr).toBe(0);
    expect(roleOf(printed.stdout)).toBe('main/publish');
    expect(sts.calls).toEqual(['/v1/token 200', '/v1/projects/-/serviceAccounts/:call 200']);
  });

  test('says why it was refused, and where the operator finds more', { timeout: 60_000 }, async () => {
    const refused = await login({ ref: 'refs/heads/dev' });
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('unauthorized_client');
    expect(refused.stderr).toMatch(/jobpass decisions show D[0-9A-Z]{12}/);
  });

  test('keeps what it was given in its own folder', { timeout: 60_000 }, async () => {
    await login();
    const kept = readFileSync(join(home.folder, 'gcloud', 'access_tokens.db'));
    expect(kept.byteLength).toBeGreaterThan(0);
  });
});
