// The check listener asked directly: three answers and no others, whatever the proxy or somebody else sends.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeBytes, type GuardedResource, startGuardedResource } from '../fakes/guarded-resource.ts';

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
