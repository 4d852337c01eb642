// Our own vectors of audiences, issuers and subjects against the whole pipeline: what is granted, and that nothing is fetched
// for an issuer that is not registered.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonValue } from '../../src/base/core/json.ts';
import { roleText, wideCeiling } from '../fakes/roles.ts';
import { MemoryPolicies, PUBLISH, StsWorld } from '../fakes/sts-world.ts';
import { describeVectors, readVectors } from './vectors.ts';

const ISSUER = 'https://ci.example.test/t1';
const AUDIENCE = 'sts.example.test';
const SUBJECT = 'pipeline:acme:web:ref:main';

const Case = z.object({
  aud: z.json().optional(),
  iss: z.json().optional(),
  sub: z.json().optional(),
  azp: z.string().optional(),
  expect: z.string(),
});

describeVectors('own/aud-iss-sub, through an exchange', () => {
  const { cases } = z.object({ cases: z.array(Case) }).parse(readVectors('own/aud-iss-sub.json'));
  let world: StsWorld;

  beforeAll(async () => {
    const policies = new MemoryPolicies();
    const trust = `[{ issuer: "${ISSUER}", claims: { sub: "${SUBJECT}" } }]`;
    policies.files.set(`${PUBLISH}.yaml`, roleText({ trust }));
    world = await StsWorld.start({
      issuerUrl: ISSUER,
      registration: { audiences: [AUDIENCE] },
      settings: { tenants: [{ ...wideCeiling(), issuers: [ISSUER] }] },
      policies,
    });
    // The keys are there before the first case, so that any request later on is one too many.
    await world.exchange(await world.issuer.idToken({ aud: AUDIENCE }));
  });
  afterAll(() => world.close());

  it('are 47', () => {
    expect(cases).toHaveLength(47);
  });

  it.each(cases)('aud $aud iss $iss sub $sub: $expect', async ({ expect: verdict, ...given }) => {
    const before = world.issuer.requests.filter((request) => request.startsWith('GET')).length;
    const claims = { aud: AUDIENCE, sub: SUBJECT, ...given } as Readonly<Record<string, JsonValue>>;
    const response = await world.exchange(await world.issuer.idToken(claims));
    // "By profile" is a refusal here: there is one profile, and it takes exactly one audience.
    expect(response.status).toBe(verdict === 'grant' ? 200 : 400);
    expect(response.json.access_token !== undefined).toBe(verdict === 'grant');
    expect(world.issuer.requests.filter((request) => request.startsWith('GET')).length).toBe(before);
  });
});
