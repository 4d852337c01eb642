// A whole program, watched from outside: health, readiness and metrics of every server, and what a job leaves in them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { START } from '../fakes/issuer-world.ts';
import { startWholeProgram, type WholeProgram } from '../fakes/whole-program.ts';

let program: WholeProgram;
beforeAll(async () => {
  program = await startWholeProgram();
});
afterAll(() => program.close());

const metricsAt = async (url: string): Promise<readonly string[]> =>
  (await (await fetch(`${url}/metrics`)).text()).split('\n');
const valueAt = async (series: string): Promise<number> =>
  Number(
    (await metricsAt(program.watchUrl))
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')
      .at(-1),
  );

/** The members of an answer, each a text. */
const jsonOf = async (url: string, init: RequestInit): Promise<Readonly<Record<string, string>>> =>
  (await (await fetch(url, init)).json()) as Record<string, string>;

test('all servers tell of their health, each on its listener and together on the one for watchers', async () => {
  for (const url of [program.issuerUrl, program.stsUrl, program.watchUrl]) {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  }
});

test('the listener for watchers shows the metrics of all, and the public ones then show none, even to this machine', async () => {
  const ready = (await metricsAt(program.watchUrl)).filter((line) => line.startsWith('jobpass_ready{'));
  expect(ready.toSorted()).toEqual([
    'jobpass_ready{server="gateway web"} 1',
    'jobpass_ready{server="issuer"} 1',
    'jobpass_ready{server="sts"} 1',
  ]);
  for (const url of [program.issuerUrl, program.stsUrl]) expect((await fetch(`${url}/metrics`)).status).toBe(404);
});

test('the guarded resource keeps its own /metrics', async () => {
  expect((await fetch(`${program.gatewayUrl}/metrics`)).status).toBe(401);
  expect(
    await valueAt(
      'jobpass_gateway_requests_total{gateway="web",front="guard",reason="credential_missing",class="4xx"}',
    ),
  ).toBe(1);
});

test('a job’s way through all three is counted, and everything is fresh', async () => {
  const authorization = `Basic ${btoa(`ci:${program.clientSecret}`)}`;
  const json = { 'content-type': 'application/json' };
  const body = JSON.stringify({ ...START, audiences: [program.stsUrl] });
  const started = await jsonOf(`${program.issuerUrl}/v1/jobs`, {
    method: 'POST',
    headers: { ...json, authorization },
    body,
  });
  const { value = '' } = await jsonOf(`${started.request_url}&audience=${encodeURIComponent(program.stsUrl)}`, {
    headers: { authorization: `Bearer ${started.request_token}` },
  });
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: 'urn:jobpass:role:main/publish-web',
    subject_token: value,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  });
  const { access_token: token } = await jsonOf(`${program.stsUrl}/token`, { method: 'POST', body: form });
  expect((await fetch(`${program.gatewayUrl}/a`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  const granted = '{wire="rfc8693",outcome="granted"';
  expect(await valueAt(`jobpass_decisions_total${granted},reason="none",tenant="main",role="main/publish-web"}`)).toBe(
    1,
  );
  expect(await valueAt(`jobpass_exchange_seconds_count${granted}}`)).toBe(1);
  expect(await valueAt('jobpass_store_seconds_count{server="sts",operation="grant"}')).toBe(1);
  expect(await valueAt('jobpass_store_seconds_count{server="issuer",operation="recordToken"}')).toBe(1);
  expect(await valueAt('jobpass_gateway_requests_total{gateway="web",front="guard",reason="none",class="2xx"}')).toBe(
    1,
  );
  for (const series of [
    `jobpass_feed_age_seconds{issuer="${program.issuerUrl}"}`,
    'jobpass_gateway_feed_age_seconds{gateway="web"}',
  ])
    expect(await valueAt(series)).toBeLessThan(10);
  expect(await valueAt('jobpass_gateway_poll_age_seconds{gateway="web"}')).toBeLessThan(10);
  for (const ring of ['server="issuer",ring="id-token"', 'server="sts",ring="access-token"'])
    expect(await valueAt(`jobpass_signing_key_age_seconds{${ring}}`)).toBeLessThan(120);
  expect((await metricsAt(program.watchUrl)).filter((line) => line.startsWith('jobpass_issuer_claims_total'))).toEqual(
    [],
  );
});
