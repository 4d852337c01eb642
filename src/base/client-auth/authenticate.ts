// Authenticating the caller of a non-public route as one of the configured clients. What a client may do is the wing's business.
import { timingSafeEqual } from 'node:crypto';
import { JobpassError } from '../core/errors.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import { importKeySet, type VerificationKey } from '../jwt/jwk.ts';
import { type ParsedJws, parseJws } from '../jwt/jws.ts';
import { checkPlainType, checkType } from '../jwt/token-type.ts';
import { verifyJws } from '../jwt/verify.ts';
import { type Limits, NO_LIMITS } from '../limit/rate-limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { HttpRequest } from '../ports/http.ts';
import { ASSERTION_ALGORITHMS, claimedClient, readAssertion, UsedAssertions } from './assertion.ts';
import type { Client } from './client.ts';
import { type Form, type Presented, presentedClient } from './presented.ts';
import { hashClientSecret } from './secret.ts';

/** Two secrets are valid at once; an entry with fewer is compared as if it had two. */
const SECRET_SLOTS = 2;
/** Compared with where there is no secret; even if something hashed to it, it would let nobody in. */
const NO_SECRET = Buffer.alloc(32);

/** The type of an assertion in the revision of RFC 7523 (draft-ietf-oauth-rfc7523bis); today's clients send JWT or none. */
const ASSERTION_TYP = 'client-authentication+jwt';

interface Entry<Grant> {
  readonly client: Client<Grant>;
  readonly secretHashes: readonly Buffer[];
  readonly keys: readonly VerificationKey[];
}

/** All clients of one server, and which assertions they have used. */
export class ClientRegistry<Grant> {
  readonly #entries: ReadonlyMap<string, Entry<Grant>>;
  readonly #audience: string;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #used = new UsedAssertions();

  /**
   * `audience` is the server's URL, which assertions must name. Throws ERR_CLIENT_INVALID for two clients of one name,
   * a hash that is none, more than two hashes, or a key that cannot be used.
   */
  constructor(options: {
    readonly clients: readonly Client<Grant>[];
    readonly audience: string;
    readonly clock: Clock;
    /** How often each may call; absent: as often as it likes. */
    readonly limits?: Limits;
  }) {
    this.#entries = new Map(options.clients.map((client) => [client.name, entryOf(client)]));
    if (this.#entries.size !== options.clients.length) throw invalid('two clients have the same name');
    this.#audience = options.audience;
    this.#clock = options.clock;
    this.#limits = options.limits ?? NO_LIMITS;
  }

  /**
   * The client that sent `request`; `form` is the decoded body of a form route and absent on others. The failure never
   * tells the caller whether the client exists: an unknown name costs the same comparisons as a wrong secret, and
   * `client_expired` is said only to who has the secret.
   * Failures: `client_unknown`, `client_expired`, `rate_limited`.
   */
  async authenticate(request: HttpRequest, form?: Form): Promise<Result<Client<Grant>, Failure>> {
    const presented = presentedClient(request, form);
    if (!presented.ok) return presented;
    const { value } = presented;
    const found = value.kind === 'secret' ? this.#bySecret(value) : await this.#byAssertion(value);
    if (!found.ok) return found;
    const { expiresAt, name } = found.value;
    if (expiresAt !== null && this.#clock.nowSeconds() >= expiresAt) {
      return err(failure('client_expired', `the entry of client ${quote(name)} has expired`));
    }
    const limited = this.#limits.check('client', name);
    return limited === undefined ? found : err(limited);
  }

  /** What each client whose entry has not expired may do. */
  grants(): readonly Grant[] {
    const now = this.#clock.nowSeconds();
    const clients = [...this.#entries.values()].map(({ client }) => client);
    return clients.filter(({ expiresAt }) => expiresAt === null || now < expiresAt).map(({ may }) => may);
  }

  #bySecret(presented: Presented & { readonly kind: 'secret' }): Result<Client<Grant>, Failure> {
    const entry = this.#entries.get(presented.name);
    const hash = Buffer.from(hashClientSecret(presented.secret), 'hex');
    let isKnown = false;
    for (let slot = 0; slot < SECRET_SLOTS; slot += 1) {
      // Every slot is compared, whatever came out before: time must not tell which one held.
      const wanted = entry?.secretHashes[slot] ?? NO_SECRET;
      if (timingSafeEqual(hash, wanted) && wanted !== NO_SECRET) isKnown = true;
    }
    return entry !== undefined && isKnown ? ok(entry.client) : unknown('no client has this name and secret');
  }

  async #byAssertion(presented: Presented & { readonly kind: 'assertion' }): Promise<Result<Client<Grant>, Failure>> {
    const parsed = parseAssertion(presented.assertion);
    if (!parsed.ok) return unknown(parsed.error.detail);
    const { claims } = parsed.value;
    const name = claimedClient(claims);
    if (name === undefined || (presented.name !== undefined && presented.name !== name)) {
      return unknown('iss, sub and client_id of the assertion do not name one client');
    }
    const entry = this.#entries.get(name);
    const verified = await verifyJws(parsed.value, entry?.keys ?? [], { algorithms: ASSERTION_ALGORITHMS });
    if (entry === undefined || !verified.ok) return unknown('no client of this name has a key that made the assertion');
    const now = this.#clock.nowSeconds();
    const use = readAssertion(claims, this.#audience, now);
    if (typeof use === 'string') return unknown(`the assertion of ${quote(name)} is refused: ${use}`);
    if (!this.#used.take(name, use, now)) return unknown(`an assertion of ${quote(name)} was used before`);
    return ok(entry.client);
  }
}

const unknown = (detail: string): Result<never, Failure> => err(failure('client_unknown', detail));
const invalid = (message: string): JobpassError => new JobpassError('ERR_CLIENT_INVALID', message);

/** A JWS that says it is an assertion or a plain JWT; any other type is a token that was made for something else. */
function parseAssertion(text: string): Result<ParsedJws, Failure> {
  const parsed = parseJws(text);
  if (!parsed.ok) return parsed;
  const plain = checkPlainType(parsed.value.header);
  if (plain.ok) return parsed;
  const typed = checkType(parsed.value.header, ASSERTION_TYP);
  return typed.ok ? parsed : typed;
}

function entryOf<Grant>(client: Client<Grant>): Entry<Grant> {
  const label = `client ${quote(client.name)}`;
  if (client.name === '' || client.secretHashes.length > SECRET_SLOTS) {
    throw invalid(`${label} has no name or more than ${SECRET_SLOTS} secrets`);
  }
  if (!client.secretHashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))) {
    throw invalid(`${label} has a secret hash that is not 64 lower-case hexadecimal digits`);
  }
  const imported = importKeySet(client.jwks ?? { keys: [] });
  const problems = imported.ok ? imported.value.problems : [imported.error.detail];
  if (!imported.ok || problems.length > 0) throw invalid(`${label} has an unusable key: ${problems.join('; ')}`);
  const secretHashes = client.secretHashes.map((hash) => Buffer.from(hash, 'hex'));
  return { client, secretHashes, keys: imported.value.keys };
}
