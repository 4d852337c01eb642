// A store that answers no more: what anybody may know is served from memory, nothing is given away, and readiness says so.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openIssuerKeys } from '../../src/app/compose/rings.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { openSqliteIssuer } from '../../src/storage/sqlite/open.ts';
import { issuerWorldOn, SETTINGS } from '../fakes/issuer-world.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { StsWorld } from '../fakes/sts-world.ts';

test('the issuer serves keys and discovery with its store closed, by the keys that it has', async () => {
  const store = await openSqliteIssuer({ memory: true });
  const encryptionKey = new Secret(randomBytes(32).toString('base64url'));
  const kept = { encryptionKey, encryptionKeyBefore: null, keyExport: null };
  const plan = { settings: SETTINGS, ...kept, keyRotation: { rotateEverySeconds: null, publishSeconds: 60 } };
  const { keeper, keys } = await openIssuerKeys(plan, store, new MemoryLog());
  const { call, issuer } = issuerWorldOn(store, { keys });
  issuer.start();
  keeper.start();
  const paths = ['openid-configuration', 'jwks', 'jwks.json', 'ssf-configuration'].map(
    (name) => `GET /.well-known/${name}`,
  );
  const read = () => Promise.all(paths.map(async (path) => (await call(path)).json));
  const before = await read();
  expect(await issuer.ready()).toBe(true);
  await store.close();
  expect(await issuer.ready()).toBe(false);
  expect(await read()).toEqual(before);
  expect(before[1]).toMatchObject({ keys: [{ use: 'sig' }] });
  expect(await call('GET /v1/jobs/J1', { as: 'woodpecker' })).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1' },
  });
  await keeper.close();
  await issuer.close();
});

test('the STS serves its keys and metadata without its store, grants nothing, and is not ready', async () => {
  const world = await StsWorld.start();
  const documents = ['/.well-known/jwks', '/.well-known/oauth-authorization-server', '/metadata/endpoints'];
  const read = () => Promise.all(documents.map(async (path) => (await world.call(`GET ${path}`)).json));
  const before = await read();
  const token = await world.issuer.idToken();
  expect(await world.sts.ready()).toBe(true);
  const gone = () => Promise.reject(new Error('the database is gone'));
  Object.assign(world.store, { identity: gone, grant: gone, recordRefusal: gone, isBuried: gone, findSession: gone });
  expect(await world.sts.ready()).toBe(false);
  expect(await read()).toEqual(before);
  const answer = await world.exchange(token);
  expect([answer.status, answer.headers['retry-after'], answer.json.access_token]).toEqual([503, '1', undefined]);
  await world.close();
});
