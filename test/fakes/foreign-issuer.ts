// An issuer of ours on loopback for relying parties that are not ours: jobs, tokens, a clock that moves, keys that rotate.
// It holds no opinion on what they make of its tokens.
import { createHash, randomBytes } from 'node:crypto';
import { type JsonObject, stringMember } from '../../src/base/core/json.ts';
import type { IssuerKeys } from '../../src/issuer/context.ts';
import { createIssuer, type Issuer } from '../../src/issuer/issuer.ts';
import { KeyEncryptionKey } from '../../src/keys/kek.ts';
import { KeyRing } from '../../src/keys/ring.ts';
import type { KeyState } from '../../src/keys/store.ts';
import { clientsByName, SETTINGS, START } from './issuer-world.ts';
import { MemoryIssuerStore } from './memory-issuer-store.ts';
import { MemoryKeyStore } from './memory-key-store.ts';
import { MemoryLog } from './memory-log.ts';
import { MovingClock } from './moving-clock.ts';
import { type LoopbackServer, serveOnLoopback } from './serve-on-loopback.ts';

const RING = { ring: 'id-token', algorithm: 'RS256' } as const;

/** A job's facts that differ from START's. */
export type Job = Readonly<Record<string, unknown>>;

/** The issuer, what it was asked, and its levers. */
export class ForeignIssuer {
  readonly clock = new MovingClock();
  readonly #kek = KeyEncryptionKey.fromBytes(randomBytes(32));
  readonly #store = new MemoryKeyStore();
  readonly #publicUrl: string | undefined;
  #ring: KeyRing | undefined;
  #server: LoopbackServer | undefined;
  #issuer: Issuer | undefined;
  #jobs = 0;

  /** `publicUrl`: what the issuer calls itself, when that is not where it listens. */
  constructor(publicUrl?: string) {
    this.#publicUrl = publicUrl;
  }

  /** Listens with its first key. */
  async start(): Promise<void> {
    this.#ring = await this.#open();
    this.#server = await serveOnLoopback(async (url) => {
      this.#issuer = createIssuer({
        settings: { ...SETTINGS, url: this.#publicUrl ?? url, algorithm: 'RS256' },
        store: new MemoryIssuerStore(),
        // A ring is read once; the issuer asks for it at every use, so that the one opened last counts.
        keys: this.#keys(),
        clients: clientsByName,
        clock: this.clock,
        random: { bytes: (length) => randomBytes(length) },
        log: new MemoryLog(),
      });
      return this.#issuer.routes;
    });
  }

  /** Where it listens; its name too, unless it was given one. */
  get url(): string {
    return this.#server?.url ?? '';
  }

  /** What was asked of it, in order: `GET /path`. */
  get requests(): readonly string[] {
    return this.#server?.requests ?? [];
  }

  /** The active key's certificate, PEM. */
  get certificate(): string {
    const [key] = this.#current().publicJwks().keys;
    return `-----BEGIN CERTIFICATE-----\n${certificateOf(key)}\n-----END CERTIFICATE-----\n`;
  }

  /** The SHA-1 of each published certificate, as AWS-style clouds register them, in the order of the key set. */
  thumbprints(): readonly string[] {
    return this.#current().publicJwks().keys.map(thumbprintOf);
  }

  /** A new key, published and not yet used. */
  async prepareKey(): Promise<void> {
    const apart = new MemoryKeyStore();
    await KeyRing.open({ ...RING, store: apart, kek: this.#kek, clock: this.clock });
    this.#store.keys.push(...apart.keys.map((key) => ({ ...key, state: 'prepared' as const })));
    this.#ring = await this.#open();
  }

  /** The prepared key signs from now on; the one that did is still published. */
  async activateKey(): Promise<void> {
    const next: Partial<Record<KeyState, KeyState>> = { prepared: 'active', active: 'retired' };
    this.#store.keys = this.#store.keys.map((key) => ({ ...key, state: next[key.state] ?? key.state }));
    this.#ring = await this.#open();
  }

  /** Starts a job, and gives what it finds in its environment. */
  async startJob(audience: string, job: Job = {}): Promise<Readonly<Record<string, string>>> {
    this.#jobs += 1;
    const start = { ...START, ...job, idempotency_key: `job-${this.#jobs}`, audiences: [audience] };
    const started = await this.#ask('/v1/jobs', { method: 'POST', body: JSON.stringify(start) }, 'Client woodpecker');
    return started.env as Readonly<Record<string, string>>;
  }

  /** The ID token of a new job. */
  async token(audience: string, job: Job = {}): Promise<string> {
    const env = await this.startJob(audience, job);
    // Asked where it listens, whatever it calls itself.
    const { pathname, search } = new URL(env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '');
    const path = `${pathname}${search}&audience=${encodeURIComponent(audience)}`;
    const given = await this.#ask(path, {}, `Bearer ${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}`);
    return stringMember(given, 'value') ?? '';
  }

  async close(): Promise<void> {
    await this.#issuer?.close();
    await this.#server?.close();
  }

  #open(): Promise<KeyRing> {
    return KeyRing.open({ ...RING, store: this.#store, kek: this.#kek, clock: this.clock });
  }

  #current(): KeyRing {
    if (this.#ring === undefined) throw new Error('the issuer was not started');
    return this.#ring;
  }

  #keys(): IssuerKeys {
    return {
      signer: () => this.#current().signer(),
      publicJwks: () => this.#current().publicJwks(),
      verificationKeys: () => this.#current().verificationKeys(),
    };
  }

  async #ask(path: string, init: RequestInit, authorization: string): Promise<JsonObject> {
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as JsonObject;
  }
}

function certificateOf(key: JsonObject | undefined): string {
  const certificate = Array.isArray(key?.x5c) ? key.x5c[0] : undefined;
  if (typeof certificate !== 'string') throw new Error('a published key has no certificate');
  return certificate;
}

const thumbprintOf = (key: JsonObject): string =>
  createHash('sha1')
    .update(Buffer.from(certificateOf(key), 'base64'))
    .digest('hex');
