// Which headers pass the guard.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import {
  callerHeaders,
  carriesCredential,
  framingOf,
  identityHeaders,
  MAX_HEADERS,
  readHeaders,
  refuseHeaders,
  upstreamHeaders,
} from './headers.ts';

const session: CarriedSession = {
  issuer: 'https://sts.example.com',
  sessionId: 'S1',
  role: 'main/publish-web',
  group: 'artifacts',
  subject: 'owner:acme@42:pipeline:web@7',
  jobIssuer: 'https://ci.example.com',
  jobId: 'J1',
  jobBound: true,
  claims: {},
  issuedAt: 1,
  expiresAt: 2,
  tags: {},
  sourceIdentity: null,
  policy: null,
};
const own = { host: 'upstream.internal:9000', framing: { kind: 'none' }, session } as const;
const OWN = {
  host: ['upstream.internal:9000'],
  'x-jobpass-session': ['S1'],
  'x-jobpass-role': ['main/publish-web'],
  'x-jobpass-subject': ['owner:acme@42:pipeline:web@7'],
};
const upstream = (...raw: string[]) => Object.fromEntries(upstreamHeaders(readHeaders(raw), own));

describe('the upstream', () => {
  test('gets end-to-end headers, every one of them, and the guard’s own', () => {
    expect(
      upstream('Accept', '*/*', 'Cookie', 'a=1', 'X-Thing', '1', 'X-Thing', '2', 'Expect', '100-continue'),
    ).toEqual({
      accept: ['*/*'],
      cookie: ['a=1'],
      'x-thing': ['1', '2'],
      expect: ['100-continue'],
      ...OWN,
    });
  });

  test.each([
    'Authorization',
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'Proxy_Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Transfer_Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Content_Length',
    'Host',
    'Proxy',
    'Via',
    'Forwarded',
    'X-Forwarded-For',
    'X_Forwarded_Host',
    'X-Real-IP',
    'X-Jobpass-Session',
    'x-jobpass-ROLE',
    'X_Jobpass_Subject',
    'x-jobpass_anything',
    'X.Jobpass.Role',
  ])('never gets the caller’s %s', (name) => {
    expect(upstream(name, 'mine')).toEqual(OWN);
  });

  test('gets no header that Connection names, but always the guard’s own', () => {
    expect(upstream('Connection', 'close, X-Secret', 'connection', 'x-jobpass-role,host', 'X-Secret', '1')).toEqual(
      OWN,
    );
  });

  test('is told the framing in so many words', () => {
    const chunked = upstreamHeaders(readHeaders([]), { ...own, framing: { kind: 'chunked' } });
    expect(chunked.get('transfer-encoding')).toEqual(['chunked']);
    const length = upstreamHeaders(readHeaders(['Connection', 'content-length']), {
      ...own,
      framing: { kind: 'length', length: '12' },
    });
    expect(length.get('content-length')).toEqual(['12']);
  });

  test('never sees a header of the caller’s that CGI would take for one of the guard’s', () => {
    const name = fc
      .tuple(
        fc.constantFrom('x', 'X'),
        fc.constantFrom('-', '_'),
        fc.constantFrom('jobpass', 'JobPass'),
        fc.constantFrom('-', '_'),
      )
      .chain((parts) =>
        fc.string({ unit: fc.constantFrom(...'abROLE-_'), minLength: 1 }).map((end) => parts.join('') + end),
      );
    fc.assert(
      fc.property(name, (spelt) => {
        expect(upstream(spelt, 'forged')).toEqual(OWN);
      }),
    );
  });
});

describe('identity headers', () => {
  test.each([
    ['a subject of plain characters', 'owner:a@1', 'owner:a@1'],
    ['inner spaces', 'environment:my env', 'environment:my env'],
    ['other characters', 'café', "utf-8''caf%C3%A9"],
    ['a line break', 'a\r\nX-Jobpass-Role: admin', "utf-8''a%0D%0AX-Jobpass-Role%3A%20admin"],
    ['outer spaces', ' a', "utf-8''%20a"],
    ['nothing', '', "utf-8''"],
    ['what looks encoded already', "utf-8''a", "utf-8''utf-8%27%27a"],
  ])('carry %s', (_what, subject, value) => {
    expect(identityHeaders({ ...session, subject })['x-jobpass-subject']).toBe(value);
  });

  test('tell any two subjects apart, in characters that a header may hold', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (subject) => {
        const value = identityHeaders({ ...session, subject })['x-jobpass-subject'] ?? '';
        expect(value).toMatch(/^[\x20-\x7e]+$/);
        expect(seen.get(value) ?? subject).toBe(subject);
        seen.set(value, subject);
      }),
    );
  });
});

describe('the caller', () => {
  test('gets the upstream’s headers without those of its connection', () => {
    const answer = readHeaders(
      'Content-Type|text/plain|Content-Length|3|Set-Cookie|a=1|Set-Cookie|b=2|Connection|close, X-Hop|X-Hop|1|Keep-Alive|5|X-Jobpass-Decision|D1'.split(
        '|',
      ),
    );
    expect(Object.fromEntries(callerHeaders(answer))).toEqual({
      'content-type': ['text/plain'],
      'content-length': ['3'],
      'set-cookie': ['a=1', 'b=2'],
    });
  });

  test('is never told a length beside a transfer coding', () => {
    expect([...callerHeaders(readHeaders(['Transfer-Encoding', 'chunked', 'Content-Length', '3'])).keys()]).toEqual([]);
  });
});

describe('a request is refused', () => {
  const reasonOf = (...raw: string[]) => refuseHeaders(readHeaders(raw))?.reason;

  test.each([
    'X-HTTP-Method',
    'X-HTTP-Method-Override',
    'x_http_method_override',
    'X-Method-Override',
    'X-Original-URL',
    'X-Original-URI',
    'X-Rewrite-URL',
    'X_Rewrite_Url',
    'X-HTTP-Path-Override',
    'X-Original-Path',
    '_method',
    'Script_Name',
    'Path-Info',
  ])('with %s, which could replace what was decided on', (name) => {
    expect(reasonOf(name, 'DELETE')).toBe('path_refused');
  });

  test.each([
    'Destination',
    'X-Copy-From',
    'x-amz-copy-source',
    'x_amz_copy_source',
    'x-amz-copy-source-range',
    'x-goog-copy-source',
    'x-ms-rename-source',
    'X-Object-Manifest',
    'X-Symlink-Target',
    'X-Sendfile-Type',
    'X-Accel-Mapping',
    'X-Accel-Redirect',
  ])('with %s, which could name a second resource', (name) => {
    expect(reasonOf(name, '/other/a')).toBe('path_refused');
  });

  test.each([
    ['two Authorization headers', ['Authorization', 'Bearer a', 'authorization', 'Bearer b']],
    ['two hosts', ['Host', 'a', 'Host', 'b']],
    ['two lengths', ['Content-Length', '1', 'Content-Length', '1']],
    ['an upgrade', ['Upgrade', 'websocket']],
    ['an unknown expectation', ['Expect', '200-ok']],
    ['too many headers', Array.from({ length: MAX_HEADERS + 1 }, (_, at) => [`x-${at}`, '1']).flat()],
  ])('with %s', (_what, raw) => {
    expect(reasonOf(...raw)).toBe('request_malformed');
  });

  test('not with ordinary headers, nor for a name that every object has', () => {
    expect(
      reasonOf('Host', 'a', 'Expect', '100-Continue', 'constructor', '1', '__proto__', '2', 'x-amz-meta-copy', '3'),
    ).toBeUndefined();
  });

  test.each([
    ['a transfer coding and a length', ['Transfer-Encoding', 'chunked', 'Content-Length', '1']],
    ['another transfer coding', ['Transfer-Encoding', 'gzip, chunked']],
    ['a length that is no number', ['Content-Length', '+1']],
    ['two lengths in one', ['Content-Length', '1, 1']],
  ])('with %s', (_what, raw) => {
    const framing = framingOf(readHeaders(raw));
    expect(!framing.ok && framing.error.reason).toBe('request_malformed');
  });
});

describe('the credential', () => {
  const credential = 'aaaaaaaaaa.bbbbbbbbbb.cccccccccc';
  const headers = (...raw: string[]) => readHeaders(['Authorization', `Bearer ${credential}`, ...raw]);

  test('is found wherever else it stands', () => {
    expect(carriesCredential('/a', headers('Cookie', 'x=1'))).toBe(false);
    expect(carriesCredential(`/a?access_token=${credential}`, headers())).toBe(true);
    expect(carriesCredential('/a', headers('X-Auth', `token ${credential}`))).toBe(true);
  });
});
