// Who may lift a freeze: whoever reaches as far as the one who set it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PUBLISH, type StsAnswer, StsWorld } from '../../../test/fakes/sts-world.ts';
import type { JsonObject } from '../../base/core/json.ts';
import { REASONS } from '../../base/core/reasons.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start();
});
afterEach(() => world.close());

const ROLE = { scope: 'role', name: PUBLISH };
const TENANT = { scope: 'tenant', name: 'main' };

const freeze = (as: string, scope: JsonObject, frozen = true): Promise<StsAnswer> =>
  world.call('POST /admin/v1/freeze', { as, json: { ...scope, frozen } });
const statusOfExchange = async (): Promise<number> => (await world.exchange(await world.issuer.idToken())).status;

test.each([ROLE, TENANT])(
  'what an operator of all tenants froze, $scope, a tenant’s operator does not lift',
  async (scope) => {
    expect((await freeze('chief', scope)).json).toMatchObject({ was_frozen: false, reach: 'all' });
    const refused = await freeze('revoker', scope, false);
    expect([refused.status, refused.json.reason]).toEqual([403, 'access_denied']);
    expect(refused.json.message).toBe(
      `${REASONS.freeze_beyond_reach[1]}: ${scope.scope} ${scope.name} was frozen by an operator of all tenants: it needs may.operate`,
    );
    expect(await statusOfExchange()).toBe(503);
    expect(world.store.actions.map(({ action }) => action)).toEqual(['freeze.on']);
    expect((await freeze('chief', scope, false)).json).toEqual({ ...scope, frozen: false, was_frozen: true });
    expect(await world.store.listFreezes()).toEqual([]);
  },
);

test('what a tenant’s operator froze, an operator of all tenants lifts', async () => {
  expect((await freeze('revoker', ROLE)).json.reach).toBe('tenant');
  expect((await freeze('chief', ROLE, false)).json.was_frozen).toBe(true);
  expect(await world.store.listFreezes()).toEqual([]);
});

test('an operator of all tenants who freezes again makes it the wider freeze, and no tenant’s operator makes it the narrower one', async () => {
  await freeze('revoker', ROLE);
  expect((await freeze('chief', ROLE)).json).toMatchObject({ was_frozen: true, reach: 'all' });
  expect((await freeze('revoker', ROLE)).json).toMatchObject({ was_frozen: true, reach: 'all' });
  expect((await freeze('revoker', ROLE, false)).status).toBe(403);
  const { json } = await world.call('GET /admin/v1/freeze', { as: 'operator' });
  expect(json.freezes).toMatchObject([{ ...ROLE, reach: 'all' }]);
});

test('to another tenant’s operator it is refused for the scope, whoever set it', async () => {
  await freeze('revoker', ROLE);
  const refused = await freeze('other-revoker', ROLE, false);
  expect([refused.status, refused.json.reason]).toEqual([403, 'access_denied']);
  expect(refused.json.message).toContain(REASONS.client_not_permitted[1]);
});
