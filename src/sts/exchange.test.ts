// The pipeline from an identity token to a credential: what is granted, what is refused and why, and what is durable by then.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer, noAnswer } from '../../test/fakes/fake-job-issuer.ts';
import {
  MemoryPolicies,
  PUBLISH,
  PUBLISH_TEXT,
  STS_URL,
  type StsAnswer,
  StsWorld,
} from '../../test/fakes/sts-world.ts';
import { Secret } from '../base/core/secret.ts';
import { openAccessToken } from '../base/credential/access-token.ts';
import { importKeySet } from '../base/jwt/jwk.ts';
import { RING_SIZE } from './refusal-ring.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start();
});
afterEach(() => world.close());

async function restart(...options: Parameters<typeof StsWorld.start>): Promise<void> {
  await world.close();
  world = await StsWorld.start(...options);
}

const granted = (): number => world.store.sessions.size;
/** The reason that the operator reads, by the id that the caller got. */
async function reasonOf(refusal: StsAnswer): Promise<unknown> {
  const shown = await world.call(`GET /admin/v1/decisions/${refusal.json.decision_id}`, { as: 'root' });
  return (shown.json.decision as { reason?: unknown } | undefined)?.reason;
}

describe('a grant', () => {
  test('is an access token for the role’s gateways that says whose it is', async () => {
    const response = await world.exchange(await world.issuer.idToken());
    expect(response.status).toBe(200);
    expect(response.json).toMatchObject({ token_type: 'Bearer', expires_in: 1800 });
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
    const keys = importKeySet({ keys: [world.key.publicJwk] });
    const opened = await openAccessToken(String(response.json.access_token), {
      issuer: STS_URL,
      groups: ['artifacts'],
      keys: keys.ok ? keys.value.keys : [],
      nowSeconds: world.clock.nowSeconds(),
      skewSeconds: 0,
    });
    expect(opened.ok && opened.value.session).toEqual({
      issuer: STS_URL,
      sessionId: response.json.session_id,
      role: PUBLISH,
      group: 'artifacts',
      subject: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      jobIssuer: world.issuer.issuer,
      jobId: 'J1',
      jobBound: true,
      claims: { pipeline_id: '7' },
      issuedAt: world.clock.nowSeconds(),
      expiresAt: world.clock.nowSeconds() + 1800,
      tags: {},
      sourceIdentity: null,
      policy: null,
    });
  });

  test('is durable with its record, and every check in it, before it is answered', async () => {
    const response = await world.exchange(await world.issuer.idToken());
    const [record] = world.store.decisions;
    expect(record).toMatchObject({
      id: response.json.decision_id,
      outcome: 'granted',
      reason: null,
      sessionId: response.json.session_id,
      issuer: world.issuer.issuer,
      jobId: 'J1',
      tokenId: 'token-1',
      remoteAddress: '192.0.2.7',
    });
    expect(record?.trace.checks.map(({ check, outcome }) => `${check} ${outcome}`)).toEqual(
      [
        'form',
        'type',
        'issuer',
        'algorithm',
        'signature',
        'audience',
        'times',
        'subject',
        'token id',
        'job',
        'deadline',
        'job status',
      ].map((check) => `${check} held`),
    );
    expect(record?.trace.lifetime).toEqual({
      roleSeconds: 1800,
      ceilingSeconds: 3600,
      untilDeadlineSeconds: 3600,
      givenSeconds: 1800,
      boundBy: 'role',
    });
    expect(JSON.stringify(record)).not.toContain(String(response.json.access_token).split('.')[2]);
  });

  test('lives as long as asked when that is less', async () => {
    const response = await world.exchange(await world.issuer.idToken(), { requested_lifetime: '60' });
    expect(response.json.expires_in).toBe(60);
  });

  test('never outlives the job’s deadline', async () => {
    const token = await world.issuer.idToken({ job_deadline: String(world.clock.nowSeconds() + 5) });
    expect((await world.exchange(token)).json.expires_in).toBe(5);
  });

  test('may outlive the identity token', async () => {
    const token = await world.issuer.idToken({ exp: world.clock.nowSeconds() + 10 });
    expect((await world.exchange(token)).json.expires_in).toBe(1800);
  });

  test('ends a token’s use where the role takes each token once', async () => {
    const policies = new MemoryPolicies();
    policies.files.set(
      `${PUBLISH}.yaml`,
      PUBLISH_TEXT.replace('max_duration: 30m', 'max_duration: 30m, single_use: true'),
    );
    await restart({ policies });
    const token = await world.issuer.idToken();
    const all = await Promise.all(Array.from({ length: 10 }, () => world.exchange(token)));
    expect(all.filter((response) => response.status === 200)).toHaveLength(1);
    const refused = all.find((response) => response.status !== 200);
    expect(refused && (await reasonOf(refused))).toBe('token_replayed');
    // Under the token's own expiry: another skew tomorrow must not make the same token a new one.
    expect([...world.store.uses.values()]).toMatchObject([{ exp: world.clock.nowSeconds() + 600 }]);
    expect((await world.exchange(await world.issuer.idToken({ jti: 'token-2' }))).status).toBe(200);
    const nameless = await world.exchange(await world.issuer.idToken({ jti: undefined }));
    expect(await reasonOf(nameless)).toBe('claim_missing');
  });

  test('of an issuer that tells of no jobs is short, and says so', async () => {
    await restart({ registration: { jobStatus: { kind: 'none' } } });
    const response = await world.exchange(await world.issuer.idToken({ job_id: undefined, job_deadline: undefined }));
    expect(response.json.expires_in).toBe(1200);
    const [session] = world.store.sessions.values();
    expect(session).toMatchObject({ jobBound: false, jobId: null });
    expect(world.store.decisions[0]?.trace.jobBound).toBe(false);
    expect(world.issuer.requests).not.toContain('POST /v1/introspect');
  });

  test('of an issuer that is always asked is asked for, and not bound to the job’s end', async () => {
    await restart({ registration: { jobStatus: { kind: 'introspect', client: 'sts', secret: new Secret('s') } } });
    expect((await world.exchange(await world.issuer.idToken())).json.expires_in).toBe(1200);
    expect(world.issuer.requests).toContain('POST /v1/introspect');
    expect(world.store.sessions.values().next().value?.jobBound).toBe(false);
  });
});

const now = 1_800_000_000;

describe('a caller learns nothing of roles', () => {
  test('unknown role, other tenant and failed condition are one answer but for the id', async () => {
    const policies = new MemoryPolicies();
    policies.files.set('other/publish-web.yaml', PUBLISH_TEXT.replace('refs/heads/main', 'refs/heads/other'));
    await restart({ policies });
    const answers = [
      await world.exchange(await world.issuer.idToken(), { audience: 'urn:jobpass:role:main/unknown' }),
      await world.exchange(await world.issuer.idToken(), { audience: 'urn:jobpass:role:other/publish-web' }),
      await world.exchange(await world.issuer.idToken(), { audience: 'urn:jobpass:role:nowhere/publish-web' }),
      await world.exchange(await world.issuer.idToken({ ref: 'refs/heads/dev' })),
    ];
    const forms = answers.map(({ headers, json, status, text }) => [
      status,
      headers,
      text.replace(String(json.decision_id), 'ID'),
    ]);
    expect(forms[0]?.[0]).toBe(400);
    for (const form of forms) expect(form).toEqual(forms[0]);
    expect(new Set(answers.map(({ json }) => json.decision_id)).size).toBe(4);
    expect(world.store.decisions.map((record) => record.reason)).toEqual([
      'role_unknown',
      'no_rule_matched',
      'role_unknown',
      'no_rule_matched',
    ]);
  });
});

describe('the end of a job', () => {
  const bury = () =>
    world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 90_000 }]);

  test('known before the exchange refuses it', async () => {
    await bury();
    const response = await world.exchange(await world.issuer.idToken());
    expect([response.status, await reasonOf(response)]).toEqual([400, 'job_ended']);
  });

  test('known to the issuer alone refuses it while the feed is stale', async () => {
    world.issuer.endedJobs.add('J1');
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('job_ended');
  });

  test.each<[string, Parameters<typeof world.issuer.handlers.set>[1]]>([
    ['does not answer', () => noAnswer('timeout')],
    ['answers with an error', () => answer({}, 500)],
    ['answers neither yes nor no', () => answer({ active: 'true' })],
    [
      'answers about another job',
      () =>
        answer({
          active: true,
          iss: 'https://ci.example.com',
          sub: 's',
          aud: 'a',
          jti: 't',
          job_id: 'J2',
          exp: 1,
          iat: 1,
        }),
    ],
  ])('is not ruled out when the feed is stale and the issuer %s', async (_what, handler) => {
    world.issuer.handlers.set('/v1/introspect', handler);
    const response = await world.exchange(await world.issuer.idToken());
    expect([response.status, await reasonOf(response)]).toEqual([503, 'job_status_unknown']);
    expect(granted()).toBe(0);
  });

  test('between the check and the grant refuses it in the granting transaction', async () => {
    world.store.hooks.beforeGrant = async () => {
      delete world.store.hooks.beforeGrant;
      await bury();
    };
    const response = await world.exchange(await world.issuer.idToken());
    expect(await reasonOf(response)).toBe('job_ended');
    expect(world.store.decisions[0]?.trace.checks.at(-1)).toMatchObject({ check: 'grant', outcome: 'failed' });
    expect(granted()).toBe(0);
  });

  test('right after the grant ends its session', async () => {
    const response = await world.exchange(await world.issuer.idToken());
    const ended = await bury();
    expect(ended.map((end) => end.sessionId)).toEqual([response.json.session_id]);
  });

  test('at any point of an exchange leaves no live session', async () => {
    const points = ['beforeIsBuried', 'beforeGrant', 'beforeRecordRefusal'] as const;
    for (const point of points) {
      await restart();
      world.store.hooks[point] = async () => {
        delete world.store.hooks[point];
        await bury();
      };
      await world.exchange(await world.issuer.idToken());
      await bury();
      const live = [...world.store.sessions.keys()].filter(
        (id) => !world.store.ended.some((end) => end.sessionId === id),
      );
      expect(live).toEqual([]);
    }
  });
});

describe('nothing is granted', () => {
  test('when the store does not take it', async () => {
    world.store.hooks.beforeGrant = () => {
      throw new Error('disk full');
    };
    const response = await world.exchange(await world.issuer.idToken());
    expect([response.status, response.json.error]).toEqual([503, 'temporarily_unavailable']);
    expect(response.text).not.toContain('disk');
    expect(await reasonOf(response)).toBe('store_unavailable');
    expect(granted()).toBe(0);
  });

  test('when the store does not take the refusal either', async () => {
    world.store.hooks.beforeRecordRefusal = () => {
      throw new Error('disk full');
    };
    const response = await world.exchange(await world.issuer.idToken({ ref: 'refs/heads/dev' }));
    expect([response.status, await reasonOf(response)]).toEqual([503, 'store_unavailable']);
  });

  test('when tombstones cannot be read', async () => {
    world.store.hooks.beforeIsBuried = () => {
      throw new Error('io error');
    };
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('store_unavailable');
  });

  test('when the clock is behind the latest time acted on', async () => {
    world.store.highWater = now + 31;
    const response = await world.exchange(await world.issuer.idToken());
    expect([response.status, await reasonOf(response)]).toEqual([503, 'clock_behind']);
  });

  test('when something fails unexpectedly, and the caller gets an id', async () => {
    world.key.signer.sign = () => Promise.reject(new Error('key service gone'));
    const response = await world.exchange(await world.issuer.idToken());
    expect([response.status, response.json.reason]).toEqual([503, 'unavailable']);
    expect(response.json.access_token).toBeUndefined();
    const list = await world.call('GET /admin/v1/decisions', { as: 'root' });
    expect(list.json.decisions).toHaveLength(1);
    expect(list.json.unverified).toEqual({ internal_failure: 1 });
  });
});

describe('a flood of garbage', () => {
  test('fills a bounded ring and a counter, never the store', async () => {
    for (let i = 0; i < RING_SIZE + 10; i += 1) await world.exchange('garbage');
    const list = await world.call('GET /admin/v1/decisions?limit=999', { as: 'root' });
    expect(list.json.decisions).toHaveLength(RING_SIZE);
    expect(list.json.unverified).toEqual({ token_malformed: RING_SIZE + 10 });
    expect(world.store.decisions).toEqual([]);
  });
});
