// The tokens of the table of four wires: what is bent of an ordinary one, and what verification must say of it. Those that pass are
// judged by the policies.
import type { JsonValue } from '../../../src/base/core/json.ts';
import type { Reason } from '../../../src/base/core/reasons.ts';
import { encodeBase64url } from '../../../src/base/jwt/base64url.ts';
import { type FakeKey, fakeKey, STS_AUDIENCE } from '../../fakes/fake-job-issuer.ts';
import type { StsWorld } from '../../fakes/sts-world.ts';

type Bent = Readonly<Record<string, JsonValue | undefined>>;

export interface TokenCase {
  readonly name: string;
  /** `verified`, or the reason why it is not. */
  readonly verification: 'verified' | Reason;
  /** The token; `id` is its `jti` unless that is what is bent. */
  readonly make: (world: StsWorld, id: string) => Promise<string>;
}

export const SUBJECT = 'owner:acme@42:pipeline:web@7:ref:refs/heads/main';
const STRANGER = fakeKey('key-1');
const UNPUBLISHED = fakeKey('key-9');

/** Other claims; undefined leaves one out. */
const claims =
  (bent: Bent, o: { readonly typ?: string; readonly key?: FakeKey } = {}): TokenCase['make'] =>
  (world, id) =>
    world.issuer.idToken({ run_attempt: '1', jti: id, ...bent }, o);

/** Other times, in seconds from now. */
const timed =
  (fromNow: Readonly<Record<string, number>>): TokenCase['make'] =>
  (world, id) => {
    const now = world.clock.nowSeconds();
    const times = Object.entries(fromNow).map(([name, seconds]) => [name, now + seconds] as const);
    return claims(Object.fromEntries(times))(world, id);
  };

const plain = claims({});

/** Any header and payload, signed by the issuer's key. */
const signed =
  (header: object, payload: (text: string) => string): TokenCase['make'] =>
  async (world, id) => {
    const text = payload(JSON.stringify(world.issuer.claims({ run_attempt: '1', jti: id })));
    const input = `${encodeBase64url(JSON.stringify(header))}.${encodeBase64url(text)}`;
    const signature = await world.issuer.key.signer.sign(new TextEncoder().encode(input));
    return `${input}.${encodeBase64url(signature)}`;
  };

/** An ordinary token whose text is bent after it was signed. */
const bentText =
  (bend: (token: string) => string): TokenCase['make'] =>
  async (world, id) =>
    bend(await plain(world, id));

/** Another character in the middle of the signature. */
const changeSignature = (token: string): string => token.replace(/.(?=.{9}$)/, (c) => (c === 'A' ? 'B' : 'A'));

/** A text that nobody signed. */
const text =
  (token: string): TokenCase['make'] =>
  () =>
    Promise.resolve(token);

const HEADER = { alg: 'ES256', kid: 'key-1', typ: 'JWT' };

const good = (name: string, make: TokenCase['make']): TokenCase => ({ name, verification: 'verified', make });
const saying = (name: string, bent: Bent): TokenCase => good(name, claims(bent));
const bad = (name: string, verification: Reason, make: TokenCase['make']): TokenCase => ({ name, verification, make });

/** Good tokens: every one of them is signed, for us, and in time. */
const GOOD = [
  good('main', plain),
  good(
    'with a line break behind it',
    bentText((token) => `${token}\n`),
  ),
  saying('with a list of one audience', { aud: [STS_AUDIENCE] }),
  saying('made out to us', { azp: STS_AUDIENCE }),
  saying('without an id', { jti: undefined }),
  saying('of another branch', { ref: 'refs/heads/dev', sub: SUBJECT.replace(/main$/, 'dev') }),
  saying('of a branch that begins so', { ref: 'refs/heads/main-evil', sub: `${SUBJECT}-evil` }),
  saying('of a branch in capitals', { ref: 'refs/heads/Main', sub: SUBJECT.replace(/main$/, 'Main') }),
  saying('of a tag', { ref: 'refs/tags/v1', sub: SUBJECT.replace(/heads\/main$/, 'tags/v1') }),
  saying('of another owner', { owner_id: '43', sub: SUBJECT.replace('@42', '@43') }),
  saying('of another pipeline', { pipeline_id: '8', sub: SUBJECT.replace('@7', '@8') }),
  saying('without its pipeline', { pipeline_id: undefined }),
  saying('whose owner is a number', { owner_id: 42 }),
  saying('whose owner is null', { owner_id: null }),
  saying('whose owner is empty', { owner_id: '' }),
  saying('of a second attempt', { run_attempt: '2' }),
  saying('of another subject', { sub: 'owner:acme@42:pipeline:web@7:environment:production' }),
];

/** Bad tokens: refused before any policy is looked at. */
const BAD = [
  bad('garbage', 'token_malformed', text('garbage')),
  bad(
    'of two parts',
    'token_malformed',
    bentText((token) => token.split('.').slice(0, 2).join('.')),
  ),
  bad(
    'of four parts',
    'token_malformed',
    bentText((token) => `${token}.x`),
  ),
  bad(
    'with padding',
    'token_malformed',
    bentText((token) => `${token}==`),
  ),
  bad(
    'with a space before it',
    'token_malformed',
    bentText((token) => ` ${token}`),
  ),
  bad('larger than 16 KiB', 'token_too_large', text(`${'a'.repeat(17_000)}.b.c`)),
  bad(
    'with a claim twice',
    'token_malformed',
    signed(HEADER, (json) => json.replace('{', '{"owner_id":"43",')),
  ),
  bad(
    'with broken JSON',
    'token_malformed',
    signed(HEADER, (json) => json.slice(1)),
  ),
  bad(
    'with a list of claims',
    'token_malformed',
    signed(HEADER, (json) => `[${json}]`),
  ),
  bad(
    'signed by none',
    'algorithm_refused',
    signed({ ...HEADER, alg: 'none' }, (json) => json),
  ),
  bad(
    'signed by HS256',
    'algorithm_refused',
    signed({ ...HEADER, alg: 'HS256' }, (json) => json),
  ),
  bad(
    'with a critical header',
    'token_malformed',
    signed({ ...HEADER, crit: ['b64'], b64: false }, (json) => json),
  ),
  bad('of another type', 'token_type_refused', claims({}, { typ: 'at+jwt' })),
  bad('by a stranger under our key’s name', 'signature_invalid', claims({}, { key: STRANGER })),
  bad('by a key that is not published', 'key_unknown', claims({}, { key: UNPUBLISHED })),
  bad('with one bit changed', 'signature_invalid', bentText(changeSignature)),
  bad('by an unknown issuer', 'issuer_unknown', claims({ iss: 'https://evil.example.com' })),
  bad('by our issuer with a slash', 'issuer_unknown', claims({ iss: 'https://ci.example.com/' })),
  bad('by no issuer', 'claim_missing', claims({ iss: undefined })),
  bad('for another audience', 'audience_mismatch', claims({ aud: 'https://elsewhere.example.com' })),
  bad('for two audiences', 'audience_mismatch', claims({ aud: [STS_AUDIENCE, 'https://elsewhere.example.com'] })),
  bad('for no audience', 'claim_missing', claims({ aud: undefined })),
  bad('made out to somebody else', 'audience_mismatch', claims({ azp: 'somebody' })),
  bad('expired', 'token_expired', timed({ iat: -700, nbf: -700, exp: -100 })),
  bad('without an end', 'claim_missing', claims({ exp: undefined })),
  bad('with an end in words', 'claim_malformed', claims({ exp: 'tomorrow' })),
  bad('without a beginning', 'claim_missing', claims({ iat: undefined })),
  bad('issued in the future', 'token_not_yet_valid', timed({ iat: 300 })),
  bad('good in the future', 'token_not_yet_valid', timed({ nbf: 300 })),
  bad('that lives for two days', 'token_lifetime_too_long', timed({ exp: 172_800 })),
  bad('without a subject', 'claim_missing', claims({ sub: undefined })),
  bad('with a subject beyond ASCII', 'claim_malformed', claims({ sub: 'ownér' })),
  bad('with a subject of 256 characters', 'claim_malformed', claims({ sub: 'a'.repeat(256) })),
  bad('with a list for an id', 'claim_malformed', claims({ jti: ['x'] })),
];

export const TOKENS: readonly TokenCase[] = [...GOOD, ...BAD];
