import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../base/core/secret.ts';
import { exchangeToken, readJobEnvironment, requestIdToken } from './client.ts';
import { exitCodeOf } from './failure.ts';
import type { Transport } from './http.ts';

const ENV = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'http://issuer.test/v1/jobs/J1/id-token?v=1',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
};

const jws = (claims: object): string =>
  ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

function answering(...answers: readonly Response[]) {
  const calls: { url: string; init: RequestInit }[] = [];
  const transport: Transport = {
    fetch: async (input, init) => {
      calls.push({ url: String(input), init: init ?? {} });
      const answer = answers[calls.length - 1];
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer;
    },
    sleep: async () => undefined,
  };
  return { transport, calls };
}

describe('the job environment', () => {
  it('is found by GitHub’s names', () => {
    const found = readJobEnvironment(ENV);
    expect(found).toMatchObject({ ok: true, value: { requestUrl: ENV.ACTIONS_ID_TOKEN_REQUEST_URL } });
    expect(inspect(found, { depth: 9 })).not.toContain('request-token');
  });

  it('outside a job is a usage failure with a next step, exit code 2', () => {
    const found = readJobEnvironment({ PATH: '/bin' });
    expect(found).toMatchObject({ ok: false, error: { kind: 'usage' } });
    if (found.ok) return;
    expect(found.error.message).toMatch(/^not inside a job/);
    expect(found.error.hint).toContain('jobpass run');
    expect(exitCodeOf(found.error)).toBe(2);
  });

  it.each([
    ['no token', { ...ENV, ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' }],
    ['no URL', { ...ENV, ACTIONS_ID_TOKEN_REQUEST_URL: undefined }],
    ['a URL of another scheme', { ...ENV, ACTIONS_ID_TOKEN_REQUEST_URL: 'file:///etc/passwd' }],
    ['a token with a line break', { ...ENV, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a\r\nx: y' }],
  ])('with %s is refused', (_, env) => {
    expect(readJobEnvironment(env)).toMatchObject({ ok: false, error: { kind: 'usage' } });
  });
});

describe('asking for an ID token', () => {
  it('speaks GitHub’s wire and gives token, claims and expiry', async () => {
    const { transport, calls } = answering(Response.json({ value: jws({ sub: 'owner:acme@42', exp: 99 }) }));
    const answer = await requestIdToken(transport, { env: ENV, audience: 'http://sts.test/a b' });
    expect(answer).toMatchObject({ ok: true, value: { expiresAt: 99, claims: { sub: 'owner:acme@42' } } });
    expect(calls[0]?.url).toBe(`${ENV.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=http%3A%2F%2Fsts.test%2Fa%20b`);
    expect(calls[0]?.init.headers).toMatchObject({ authorization: 'Bearer request-token' });
  });

  it('copes with a request URL that has no query', async () => {
    const { transport, calls } = answering(Response.json({ value: jws({ exp: 99 }) }));
    await requestIdToken(transport, {
      env: { ...ENV, ACTIONS_ID_TOKEN_REQUEST_URL: 'http://ci.test/oidc' },
      audience: 'a',
    });
    expect(new URL(calls[0]?.url ?? '').searchParams.get('audience')).toBe('a');
  });

  it('asks for nothing without an audience', async () => {
    const { transport, calls } = answering();
    expect(await requestIdToken(transport, { env: ENV, audience: '' })).toMatchObject({ error: { kind: 'usage' } });
    expect(calls).toHaveLength(0);
  });

  it('is denied with exit code 3 when the job is over', async () => {
    const { transport } = answering(Response.json({ message: 'no', reason: 'access_denied' }, { status: 403 }));
    const answer = await requestIdToken(transport, { env: ENV, audience: 'a' });
    expect(answer).toMatchObject({ error: { kind: 'denied', reason: 'access_denied', status: 403 } });
    expect(answer.ok ? 0 : exitCodeOf(answer.error)).toBe(3);
  });

  it('is unreachable with exit code 4 when the issuer does not answer', async () => {
    const answer = await requestIdToken(answering().transport, { env: ENV, audience: 'a' });
    expect(answer.ok ? 0 : exitCodeOf(answer.error)).toBe(4);
  });

  it.each([{}, { value: 'no jws' }, { value: jws({ sub: 'no expiry' }) }])('fails on the answer %j', async (body) => {
    const answer = await requestIdToken(answering(Response.json(body)).transport, { env: ENV, audience: 'a' });
    expect(answer).toMatchObject({ ok: false, error: { kind: 'failed' } });
  });
});

describe('exchanging', () => {
  const REQUEST = {
    stsUrl: 'http://sts.test/',
    role: 'main/publish-web',
    token: new Secret('id-token'),
    nowSeconds: 1000,
  };

  it('sends RFC 8693 and gives the credential with its session', async () => {
    const body = { access_token: 'at', token_type: 'Bearer', expires_in: 598, session_id: 'S4F1', decision_id: 'D1' };
    const { transport, calls } = answering(Response.json(body));
    const answer = await exchangeToken(transport, { ...REQUEST, askedSeconds: 60 });
    expect(answer).toMatchObject({ ok: true, value: { expiresAt: 1598, sessionId: 'S4F1', decisionId: 'D1' } });
    expect(calls[0]?.url).toBe('http://sts.test/token');
    const form = new URLSearchParams(String(calls[0]?.init.body));
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: 'urn:jobpass:role:main/publish-web',
      subject_token: 'id-token',
    });
  });

  it('gives the refusal with its decision id, and no more', async () => {
    const body = { error: 'access_denied', error_description: 'access denied', decision_id: 'D9XM' };
    const answer = await exchangeToken(answering(Response.json(body, { status: 403 })).transport, REQUEST);
    expect(answer).toMatchObject({ ok: false, error: { kind: 'denied', reason: 'access_denied', decisionId: 'D9XM' } });
    expect(inspect(answer, { depth: 9 })).not.toContain('id-token');
  });

  it.each([
    ['a role without tenant', { role: 'publish-web' }],
    ['a role with a third part', { role: 'main/publish/web' }],
    ['a URL that is none', { stsUrl: 'sts' }],
    ['half a second', { askedSeconds: 0.5 }],
    ['no time at all', { askedSeconds: 0 }],
  ])('refuses %s before anything is sent', async (_, change) => {
    const { transport, calls } = answering();
    expect(await exchangeToken(transport, { ...REQUEST, ...change })).toMatchObject({ error: { kind: 'usage' } });
    expect(calls).toHaveLength(0);
  });

  it.each([{}, { access_token: 'at', expires_in: 1 }, { error: 'access_denied' }])(
    'fails on the answer %j',
    async (body) => {
      const answer = await exchangeToken(answering(Response.json(body)).transport, REQUEST);
      expect(answer).toMatchObject({ ok: false, error: { kind: 'failed' } });
    },
  );
});
