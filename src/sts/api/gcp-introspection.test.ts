// POST /v1/introspect as gcloud sees it: whose a token in force is, and of every other nothing.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT, gcpAccessToken, gcpIntrospect, gcpPolicies, takeOn } from '../../../test/fakes/gcp-calls.ts';
import { STS_URL, StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';

let world: StsWorld;

const restart = async (options: StsWorldOptions = {}): Promise<void> => {
  await world?.close();
  world = await StsWorld.start({ policies: gcpPolicies({ direct: {} }), ...options });
};
const FEDERATED = { policies: gcpPolicies({ publish: { account: ACCOUNT } }) };

beforeEach(() => restart());
afterEach(() => world.close());

describe('introspection', () => {
  const POOL = 'principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/subject';
  const SUBJECT = 'owner:acme@42:pipeline:web@7:ref:refs/heads/main';

  test('names the identity behind a token of either form', async () => {
    for (const options of [{}, FEDERATED]) {
      await restart(options);
      const now = world.clock.nowSeconds();
      expect((await gcpIntrospect(world, await gcpAccessToken(world))).json).toEqual({
        active: true,
        username: `${POOL}/${SUBJECT}`,
        token_type: 'Bearer',
        iss: STS_URL,
        sub: SUBJECT,
        iat: now,
        exp: now + 1800,
      });
    }
  });

  test('names the service account of a token that was given for one', async () => {
    await restart(FEDERATED);
    const { json } = await takeOn(world, await gcpAccessToken(world));
    const told = await gcpIntrospect(world, String(json.accessToken));
    expect(told.json).toMatchObject({ active: true, username: ACCOUNT });
  });

  test('says of every other token nothing', async () => {
    const mine = await gcpAccessToken(world);
    const rfc8693 = String((await world.exchange(await world.issuer.idToken())).json.access_token);
    const others = [await world.issuer.idToken(), 'garbage', `${mine.slice(0, -6)}AAAAAA`, rfc8693];
    for (const token of others) expect((await gcpIntrospect(world, token)).json).toEqual({ active: false });
  });

  test('says of a token that is over nothing', async () => {
    const token = await gcpAccessToken(world);
    const now = world.clock.nowSeconds();
    await world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
    expect((await gcpIntrospect(world, token)).json).toEqual({ active: false });
    await restart();
    const later = await gcpAccessToken(world);
    world.clock.advance(1800);
    expect((await gcpIntrospect(world, later)).json).toEqual({ active: false });
  });

  test('without a token is malformed, and without a store not answered', async () => {
    expect(await gcpIntrospect(world, '')).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    const token = await gcpAccessToken(world);
    world.store.findSession = () => Promise.reject(new Error('io'));
    expect(await gcpIntrospect(world, token)).toMatchObject({ status: 503 });
  });
});
