// What the STS counts: every decision on every wire, once, and no word of a caller's.
import { afterEach, describe, expect, test } from 'vitest';
import { Metrics } from '../../src/app/metrics/metrics.ts';
import { FrozenClock } from '../fakes/frozen-clock.ts';
import { StsWorld } from '../fakes/sts-world.ts';
import { CLAIMS, folderOf } from './four-wires/policies.ts';
import { WIRES } from './four-wires/wires.ts';

let world: StsWorld | undefined;
afterEach(() => world?.close());

const start = async () => {
  const metrics = new Metrics(new FrozenClock());
  world = await StsWorld.start({ policies: folderOf({ trust: CLAIMS }), observer: metrics.stsObserver() });
  const of = async (name: string) => (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return { metrics, of, sts: world };
};

describe.each(WIRES.map((adapter) => [adapter.wire, adapter] as const))('over %s', (wire, { ask }) => {
  test('a grant, a refusal and a garbage token are counted, each once', async () => {
    const { of, sts } = await start();
    expect((await ask(sts, await sts.issuer.idToken())).granted).toBe(true);
    await ask(sts, await sts.issuer.idToken({ owner_id: '43' }));
    await ask(sts, 'garbage');
    expect((await of('jobpass_decisions_total')).toSorted()).toEqual([
      `jobpass_decisions_total{wire="${wire}",outcome="granted",reason="none",tenant="main",role="main/publish"} 1`,
      `jobpass_decisions_total{wire="${wire}",outcome="refused",reason="no_rule_matched",tenant="main",role="main/publish"} 1`,
      `jobpass_decisions_total{wire="${wire}",outcome="refused",reason="token_malformed",tenant="main",role="main/publish"} 1`,
    ]);
    expect(await of('jobpass_exchange_seconds_count')).toEqual([
      `jobpass_exchange_seconds_count{wire="${wire}",outcome="granted"} 1`,
      `jobpass_exchange_seconds_count{wire="${wire}",outcome="refused"} 2`,
    ]);
  });
});

test('names that no role has are none, whoever writes them', async () => {
  const { metrics, sts } = await start();
  for (const name of ['main/invented', 'invented/too', 'main/publish"}'])
    await sts.exchange(await sts.issuer.idToken(), { audience: `urn:jobpass:role:${name}` });
  const text = await metrics.text();
  expect(text).not.toContain('invented');
  expect(text).toContain('reason="role_unknown",tenant="none",role="none"} 2');
  expect(text).toContain('reason="target_malformed",tenant="none",role="none"} 1');
});

test('claims that a token lacks or adds are counted for its issuer', async () => {
  const { of, sts } = await start();
  await sts.exchange(await sts.issuer.idToken({ robot: 'yes' }), { audience: 'urn:jobpass:role:main/publish' });
  expect(await of('jobpass_issuer_claims_total')).toContain(
    'jobpass_issuer_claims_total{issuer="https://ci.example.com",drift="unknown",claim="robot"} 1',
  );
});

test('ages are told of each issuer and each gateway, +Inf before the first word', async () => {
  const { metrics, of, sts } = await start();
  metrics.watchAges(() => sts.sts.ages());
  expect(await of('jobpass_feed_age_seconds')).toEqual([
    'jobpass_feed_age_seconds{issuer="https://ci.example.com"} +Inf',
  ]);
  expect(await of('jobpass_gateway_poll_age_seconds')).toHaveLength(2);
  const [, age] = /\} (.+)$/.exec((await of('jobpass_jwks_age_seconds'))[0] ?? '') ?? [];
  expect(age).toBeDefined();
});
