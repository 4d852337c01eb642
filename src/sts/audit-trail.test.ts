// Everything that is done at an STS is in its audit chain, the chain is whole, and no secret is in it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assumedCredentials } from '../../test/fakes/aws-calls.ts';
import { deployPolicies } from '../../test/fakes/aws-role.ts';
import { CLIENT_SECRET, StsWorld } from '../../test/fakes/sts-world.ts';
import { AuditVerifier } from '../base/audit/verify.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start({ policies: deployPolicies() });
});
afterEach(() => world.close());

const post = (route: string, json: object) => world.call(`POST /admin/v1/${route}`, { as: 'chief', json });

test('decisions and actions are whole chains, each record once and by whom, and hold no token and no secret', async () => {
  const secrets: string[] = [CLIENT_SECRET.reveal(), Buffer.alloc(32, 7).toString('base64url')];
  const idToken = await world.issuer.idToken();
  const { json } = await world.exchange(idToken);
  await world.exchange(idToken, { audience: 'urn:jobpass:role:main/nothing-there' });
  const aws = await assumedCredentials(world, { jti: 'token-2' });
  await world.call('POST /revoke', { form: { token: String(json.access_token) } });
  await world.call('POST /revoke', { form: { token: String(aws.sessionToken) }, as: 'revoker' });
  const frozen = await post('freeze', { scope: 'all', frozen: true });
  const raised = await post('epochs', { scope: 'all' });
  expect([frozen.status, raised.status]).toEqual([200, 200]);
  secrets.push(idToken, String(json.access_token), aws.secretAccessKey, String(aws.sessionToken));

  const { actions, decisions, entries } = world.store;
  expect(decisions.map(({ outcome }) => outcome)).toEqual(['granted', 'refused', 'granted']);
  expect(actions.map(({ action, actor }) => `${action} ${actor.kind}`)).toEqual([
    'token.revoke bearer',
    'token.revoke client',
    'freeze.on client',
    'epoch.raise client',
  ]);
  const heads = await world.store.listHeads();
  const verifier = new AuditVerifier({ heads, checkpoints: [], from: [] });
  for (const entry of entries) verifier.add(entry);
  expect(verifier.finish(heads)).toMatchObject({ found: 0, records: 7 });

  const written = entries.map(({ body }) => body).join('\n');
  for (const secret of secrets) {
    expect(written).not.toContain(secret);
    // Nor what makes a token one.
    expect(written).not.toContain(secret.split('.').at(-1));
  }
});
