// What an epoch means at the STS itself: whoever asks it about a session, or for another one, hears that it is over.
import { afterEach, expect, test } from 'vitest';
import { assumedCredentials, callerIdentity, codeOf } from '../../test/fakes/aws-calls.ts';
import { deployPolicies } from '../../test/fakes/aws-role.ts';
import { ACCOUNT, gcpAccessToken, gcpIntrospect, gcpPolicies, gcpReason, takeOn } from '../../test/fakes/gcp-calls.ts';
import { StsWorld, type StsWorldOptions } from '../../test/fakes/sts-world.ts';
import type { EpochScope } from '../base/core/epoch.ts';
import type { JsonObject } from '../base/core/json.ts';
import { raiseOf } from '../storage/conformance/fixtures.ts';

const PUBLISH = { scope: 'role', name: 'main/publish' } as const;

let world: StsWorld;
afterEach(() => world.close());

const start = async (options: StsWorldOptions): Promise<void> => {
  world = await StsWorld.start({ registration: { jobStatus: { kind: 'none' } }, ...options });
};
const withAccount = () => start({ policies: gcpPolicies({ publish: { account: ACCOUNT } }) });
const raise = (scope: EpochScope) => world.store.raiseEpoch(raiseOf('E', scope, world.clock.nowSeconds()));

test('a role that comes of a session without one is judged by when the identity token was issued', async () => {
  await withAccount();
  const before = await gcpAccessToken(world);
  await raise(PUBLISH);
  world.clock.advance(5);
  const refused = await takeOn(world, before);
  expect([refused.status, await gcpReason(world, refused)]).toEqual([403, 'epoch_raised']);
  expect((await takeOn(world, await gcpAccessToken(world))).status).toBe(200);
});

test('an identity token of before is not carried over an epoch by a session that is made of it after', async () => {
  await withAccount();
  const token = await world.issuer.idToken();
  await raise(PUBLISH);
  world.clock.advance(5);
  const { json } = await world.call('POST /v1/token', {
    form: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/providers/jobpass',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    },
  });
  expect(json.access_token).toEqual(expect.any(String));
  const refused = await takeOn(world, String(json.access_token));
  expect([refused.status, await gcpReason(world, refused)]).toEqual([403, 'epoch_raised']);
});

test('a session without a role ends with its issuer’s epoch, and is not active any more', async () => {
  await withAccount();
  const token = await gcpAccessToken(world);
  expect((await gcpIntrospect(world, token)).json.active).toBe(true);
  await raise({ scope: 'issuer', name: 'https://ci.example.com' });
  expect((await gcpIntrospect(world, token)).json).toEqual({ active: false });
  const refused = await takeOn(world, token);
  expect(await gcpReason(world, refused)).toBe('session_ended');
});

test('granting is frozen for a role that comes of another session, too', async () => {
  await withAccount();
  const parent = await gcpAccessToken(world);
  const { record } = raiseOf('F', PUBLISH);
  await world.store.setFreeze({ scope: PUBLISH, frozen: true, reach: 'all', record });
  const refused = await takeOn(world, parent);
  expect([refused.status, await gcpReason(world, refused)]).toEqual([503, 'granting_frozen']);
});

test('the operator reads which epoch, or which freeze, and a dry run says it, too', async () => {
  await start({});
  const token = await world.issuer.idToken();
  const detailOf = async () => {
    const { json } = await world.exchange(token);
    const shown = await world.call(`GET /admin/v1/decisions/${json.decision_id}`, { as: 'root' });
    return shown.json.decision;
  };
  const dryRun = async (identity: JsonObject) => {
    const json = { role: 'main/publish-web', ...identity };
    return (await world.call('POST /admin/v1/evaluate', { as: 'root', json })).json;
  };
  const scope = { scope: 'tenant', name: 'main' } as const;
  const { record } = raiseOf('F', scope);
  await world.store.setFreeze({ scope, frozen: true, reach: 'all', record });
  const frozen = { reason: 'granting_frozen', detail: 'an operator froze tenant main at 2026-11-23T03:00:00.000Z' };
  expect(await detailOf()).toMatchObject(frozen);
  expect(await dryRun({ token })).toMatchObject({ decision: 'deny', ...frozen });
  await raise({ scope: 'all' });
  const ended = {
    reason: 'epoch_raised',
    detail: 'an operator ended what was issued up to 2027-01-15T08:00:00.000Z, of all: a newer token is needed',
  };
  expect(await detailOf()).toMatchObject(ended);
  expect(await dryRun({ token })).toMatchObject({ decision: 'deny', ...ended });
  await world.store.setFreeze({ scope, frozen: false, reach: 'all', record: { ...record, id: 'AF2' } });
  expect(await dryRun({ token })).toMatchObject(ended);
  const claims = { iss: world.issuer.issuer, owner_id: '42', pipeline_id: '7', ref: 'refs/heads/main' };
  expect(await dryRun({ claims })).toMatchObject({ decision: 'allow' });
});

test('an AWS client of before is nobody any more', async () => {
  await start({ policies: deployPolicies() });
  const own = await assumedCredentials(world);
  expect((await callerIdentity(world, own)).status).toBe(200);
  await raise({ scope: 'tenant', name: 'main' });
  expect(codeOf(await callerIdentity(world, own))).toEqual([403, 'ExpiredToken']);
});

test('a relying party hears that an access token of before is not active', async () => {
  await start({});
  const { json } = await world.exchange(await world.issuer.idToken());
  const active = async () => {
    const form = { token: String(json.access_token) };
    return (await world.call('POST /introspect', { as: 'relying-party', form })).json.active;
  };
  expect(await active()).toBe(true);
  await raise({ scope: 'all' });
  expect(await active()).toBe(false);
  expect(json).toMatchObject({ job_bound: false, expires_in: 1200 });
});
