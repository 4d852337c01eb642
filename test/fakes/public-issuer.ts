// An issuer as a person's doctor meets it: documents by URL, in memory, and one key that signs. Nothing listens.
import { generateKeyPairSync, sign } from 'node:crypto';
import type { Claims, JsonObject, JsonValue } from '../../src/base/core/json.ts';
import { err, ok } from '../../src/base/core/result.ts';
import { assembleJws } from '../../src/base/jwt/assemble.ts';
import { importKeySet } from '../../src/base/jwt/jwk.ts';
import { type ParsedJws, parseJws } from '../../src/base/jwt/jws.ts';
import type { FetchFailure, FetchRequest, NetworkScope } from '../../src/base/ports/fetch.ts';
import type { IssuerKeys } from '../../src/issuer/context.ts';
import { testKeys } from './issuer-world.ts';

export const ISSUER = 'https://ci.example.com';
export const JWKS_URI = `${ISSUER}/.well-known/jwks`;
export const NOW = 1_800_000_000;
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
export const CLAIMS: Claims = {
  iss: ISSUER,
  aud: 'sts.amazonaws.com',
  sub: 'owner:acme@42:pipeline:web@7:environment:production',
  iat: NOW - 60,
  exp: NOW + 540,
};

/** What a document is answered with: JSON, a status, or a failure to get it. */
type Answer = JsonValue | { readonly status: number } | { readonly failure: FetchFailure };

/** One RS256 key, which every cloud takes; `testKeys` has an ES256 one. */
export function rsaKeys(): IssuerKeys {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { e, n } = publicKey.export({ format: 'jwk' });
  const shown = { keys: [{ kty: 'RSA', n: String(n), e: String(e), kid: 'rsa', alg: 'RS256', use: 'sig' }] };
  const imported = importKeySet(shown);
  return {
    publicJwks: () => shown,
    verificationKeys: () => (imported.ok ? imported.value.keys : []),
    signer: () => ({ kid: 'rsa', algorithm: 'RS256', sign: async (input) => sign('sha256', input, privateKey) }),
  };
}

/** The levers of a published issuer, and its reach. */
export class FakePublicIssuer {
  readonly keys: IssuerKeys;
  readonly answers = new Map<string, Answer>();
  /** Where the issuer's addresses lie. */
  network: NetworkScope = 'public';
  /** The URLs that were asked, in order. */
  readonly asked: string[] = [];

  constructor(keys: IssuerKeys = testKeys()) {
    this.keys = keys;
    this.answers.set(DISCOVERY, { issuer: ISSUER, jwks_uri: JWKS_URI });
    this.answers.set(JWKS_URI, this.keys.publicJwks());
  }

  /** Replaces members of the discovery document. */
  discover(changes: JsonObject): void {
    this.answers.set(DISCOVERY, { issuer: ISSUER, jwks_uri: JWKS_URI, ...changes });
  }

  /** Makes the discovery document something else. */
  answerDiscovery(answer: Answer): void {
    this.answers.set(DISCOVERY, answer);
  }

  readonly reach = {
    fetch: async (request: FetchRequest) => {
      this.asked.push(request.url);
      const answer = this.answers.get(request.url);
      if (request.network !== this.network)
        return err({ kind: 'address_refused' as const, detail: `not ${request.network}` });
      if (isObject(answer) && 'failure' in answer)
        return err({ kind: answer.failure as FetchFailure, detail: 'as the test wants it' });
      const status = isObject(answer) && typeof answer.status === 'number' ? answer.status : 200;
      const body = new TextEncoder().encode(JSON.stringify(answer ?? null));
      return ok({ status: answer === undefined ? 404 : status, headers: {}, body });
    },
    certificates: async () =>
      ok([
        { name: 'ci.example.com', sha1: 'aa'.repeat(20), selfSigned: false },
        { name: 'Some Root', sha1: 'bb'.repeat(20), selfSigned: true },
      ]),
  };

  /** A token of this issuer; members of CLAIMS are replaced or, with null, left out. */
  async token(changes: JsonObject = {}): Promise<ParsedJws> {
    const claims = Object.entries({ ...CLAIMS, ...changes }).filter(([, value]) => value !== null);
    const parsed = parseJws(await assembleJws({ typ: 'JWT' }, Object.fromEntries(claims), this.keys.signer()));
    if (!parsed.ok) throw new Error(parsed.error.detail);
    return parsed.value;
  }
}

const isObject = (value: Answer | undefined): value is Record<string, JsonValue> =>
  typeof value === 'object' && value !== null;
