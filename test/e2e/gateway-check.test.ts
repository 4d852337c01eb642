// The check listener asked directly: three answers and no others, whatever the proxy or somebody else sends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../../src/app/compose/gateway.ts';
import { loadPlan, readConfig } from '../../src/app/config/load.ts';
import { planLimits } from '../../src/app/config/plan-limits.ts';
import { Metrics } from '../../src/app/metrics/metrics.ts';
import { exchangeBytes, type GuardedResource, listen, startGuardedResource } from '../fakes/guarded-resource.ts';
import { MemoryLog } from '../fakes/memory-log.ts';

let world: GuardedResource;
let port: number;
let token: string;

beforeAll(async () => {
  world = await startGuardedResource();
  port = Number(new URL(world.checkUrl).port);
  token = await world.sts.token();
});
afterAll(() => world.close());

const ask = async (lines: readonly string[], request = 'GET /check') => {
  const head = [`${request} HTTP/1.1`, 'Host: g', 'Connection: close', ...lines, '', ''].join('\r\n');
  const { text } = await exchangeBytes(port, head);
  const last = world.log.lines.at(-1);
  return { status: Number(text.split(' ')[1]), text, reason: last?.fields.reason ?? last?.message };
};

const URI = 'X-Original-URI: /web/a?x=1';
const METHOD = 'X-Original-Method: PUT';

describe('the check listener', () => {
  test('says yes with the identity in headers and no body', async () => {
    const { status, text } = await ask([URI, METHOD, `Authorization: Bearer ${token}`]);
    expect(status).toBe(200);
    expect(text).toContain('x-jobpass-session: S0000000000AB\r\n');
    expect(text).toContain('x-jobpass-role: main/publish-web\r\n');
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  test.each([
    ['no original URI', [METHOD], 403, 'request_malformed'],
    ['no original method', [URI], 403, 'request_malformed'],
    ['two original URIs', [URI, URI, METHOD], 403, 'request_malformed'],
    ['an original URI and one spelt otherwise', [URI, 'X_Original_URI: /web/a', METHOD], 403, 'path_refused'],
    ['two original methods', [URI, METHOD, METHOD], 403, 'request_malformed'],
    ['a method that is none', [URI, 'X-Original-Method: P*T'], 403, 'request_malformed'],
    ['an ambiguous path', ['X-Original-URI: /web/%2e%2e/a', METHOD], 403, 'path_refused'],
    ['an absolute URI', ['X-Original-URI: http://other/web/a', METHOD], 403, 'path_refused'],
    ['a method that acts on a second resource', [URI, 'X-Original-Method: COPY'], 403, 'path_refused'],
    ['a second resource', [URI, METHOD, 'Destination: /web/b'], 403, 'path_refused'],
    ['TRACE', [URI, 'X-Original-Method: TRACE'], 403, 'request_malformed'],
    ['a rewrite header', [URI, METHOD, 'X-Rewrite-URL: /admin'], 403, 'path_refused'],
    ['another path', ['X-Original-URI: /other/a', METHOD], 403, 'permission_denied'],
  ] as const)('says no to %s', async (_what, lines, status, reason) => {
    expect(await ask([...lines, `Authorization: Bearer ${token}`])).toMatchObject({ status, reason });
  });

  test('says 401 without a credential, with a bad one, and with one in the URI', async () => {
    expect(await ask([URI, METHOD])).toMatchObject({ status: 401, reason: 'credential_missing' });
    expect(await ask([URI, METHOD, 'Authorization: Bearer x'])).toMatchObject({ status: 401 });
    const inUri = `X-Original-URI: /web/a?access_token=${token}`;
    expect(await ask([inUri, METHOD])).toMatchObject({ status: 401, reason: 'credential_missing' });
  });

  test.each(['GET /', 'GET /check?x', 'POST /check', 'GET /check/', 'DELETE /check'])(
    'serves no %s',
    async (request) => {
      expect(await ask([URI, METHOD, `Authorization: Bearer ${token}`], request)).toMatchObject({
        status: 403,
        reason: 'request_malformed',
      });
    },
  );
});

test('a gateway that only answers a proxy runs on the check listener alone, and says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-check-'));
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  file('kek', `${Buffer.alloc(32, 1).toString('base64url')}\n`);
  file('secret', 'a secret\n');
  const free = createServer();
  const address = `127.0.0.1:${await listen(free)}`;
  await new Promise((resolve) => free.close(resolve));
  const sts = '{ url: "http://127.0.0.1:1", network: loopback, secret: "file:secret" }';
  const check = `{ listen: "${address}", dialect: nginx }`;
  file('jobpass.yaml', `gateways: [{ name: a, check: ${check}, sts: ${sts}, keys: { encryption_key: "file:kek" } }]`);
  const document = readConfig('jobpass.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  const [gateway] = plan.ok ? plan.value.gateways : [];
  if (gateway === undefined) throw new Error('the configuration is not read');
  const running = await startGateway(gateway, {
    log: new MemoryLog(),
    limits: planLimits(undefined),
    metrics: new Metrics(),
    metricsFrom: [],
    hasMetricsListener: false,
  });
  try {
    expect(running.url).toBe(`http://${address}`);
    const headers = { 'x-original-uri': '/a', 'x-original-method': 'GET' };
    expect((await fetch(`${running.url}/check`, { headers })).status).toBe(401);
  } finally {
    await running.close();
    rmSync(folder, { recursive: true });
  }
});
