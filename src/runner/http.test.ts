import { describe, expect, it } from 'vitest';
import type { Transport } from './http.ts';
import { callJson, printable } from './http.ts';

type Answer = Response | Error;

/** Answers in turn; records what was asked and how long was waited. */
function fakeTransport(answers: readonly Answer[]) {
  const calls: { url: string; init: RequestInit | undefined }[] = [];
  const waits: number[] = [];
  const transport: Transport = {
    fetch: async (input, init) => {
      calls.push({ url: String(input), init });
      const answer = answers[calls.length - 1] ?? new Error('asked too often');
      if (answer instanceof Error) throw answer;
      return answer;
    },
    sleep: async (ms) => void waits.push(ms),
  };
  return { transport, calls, waits };
}

const refused = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
const CALL = {
  url: 'http://sts.test/token?secret=1',
  method: 'GET',
  headers: { authorization: 'Bearer s3cret' },
  peer: 'the STS',
} as const;

describe('a call', () => {
  it('gives the JSON object of the answer', async () => {
    const { transport, calls } = fakeTransport([Response.json({ value: 'x' })]);
    expect(await callJson(transport, CALL)).toEqual({ ok: true, value: { value: 'x' } });
    expect(calls[0]?.init).toMatchObject({ redirect: 'manual', headers: { authorization: 'Bearer s3cret' } });
  });

  it('tries again after a network failure and after 503, with growing waits', async () => {
    const { transport, waits } = fakeTransport([
      refused('ECONNREFUSED'),
      new Response('', { status: 503 }),
      Response.json({}),
    ]);
    expect(await callJson(transport, CALL)).toEqual({ ok: true, value: {} });
    expect(waits).toHaveLength(2);
    expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  });

  it('gives up after three tries as unreachable, naming the origin and neither path nor secret', async () => {
    const { transport, calls } = fakeTransport(Array.from({ length: 9 }, () => refused('ECONNREFUSED')));
    const answer = await callJson(transport, CALL);
    expect(answer).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(JSON.stringify(answer)).toContain('http://sts.test does not answer: ECONNREFUSED');
    expect(JSON.stringify(answer)).not.toMatch(/s3cret|secret=1/);
    expect(calls).toHaveLength(3);
  });

  it.each([400, 401, 403, 404, 409])('does not try again after %i, which is a refusal', async (status) => {
    const { transport, calls } = fakeTransport([new Response('{}', { status })]);
    expect(await callJson(transport, CALL)).toMatchObject({ ok: false, error: { kind: 'denied', status } });
    expect(calls).toHaveLength(1);
  });

  it('takes a reached limit for a matter of time, but does not hurry', async () => {
    const { transport, calls } = fakeTransport([new Response('{}', { status: 429 })]);
    expect(await callJson(transport, CALL)).toMatchObject({ ok: false, error: { kind: 'unreachable', status: 429 } });
    expect(calls).toHaveLength(1);
  });

  it.each([301, 307, 500])('takes %i for a failure and follows nowhere', async (status) => {
    const { transport, calls } = fakeTransport([
      new Response('', { status, headers: { location: 'http://evil.test' } }),
    ]);
    expect(await callJson(transport, CALL)).toMatchObject({ ok: false, error: { kind: 'failed', status } });
    expect(calls).toHaveLength(1);
  });

  it('reads reason, message and decision id of a refusal', async () => {
    const oauth = { error: 'access_denied', error_description: 'refused', decision_id: 'D9XM' };
    const { transport } = fakeTransport([Response.json(oauth, { status: 403 })]);
    const answer = await callJson(transport, CALL);
    expect(answer).toMatchObject({ error: { reason: 'access_denied', decisionId: 'D9XM' } });
    expect(JSON.stringify(answer)).toContain('answered 403: refused');
  });

  it.each([
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['more than 128 KiB', JSON.stringify({ value: 'x'.repeat(130 * 1024) })],
    ['broken UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
  ])('takes %s for a failure', async (_, body) => {
    const { transport } = fakeTransport([new Response(body)]);
    expect(await callJson(transport, CALL)).toMatchObject({ ok: false, error: { kind: 'failed' } });
  });

  it('says that nothing came in time', async () => {
    const { transport } = fakeTransport(Array.from({ length: 3 }, () => new DOMException('late', 'TimeoutError')));
    expect(JSON.stringify(await callJson(transport, CALL))).toContain('nothing came within 10 s');
  });
});

it('shows foreign text without what a terminal would obey', () => {
  expect(printable('a\u001b[2Jb\u202ec\n')).toBe('a\\u{1b}[2Jb\\u{202e}c\\u{a}');
});
