// Keys change under load and no verifier notices, however long it caches; a revoked key is believed by nobody soon after.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askOperator, credentialIn } from '../../src/app/cli/operator.ts';
import type { StartedJob } from '../e2e/three-servers.ts';
import { CachingVerifier } from './tools/caching-verifier.ts';
import { askForToken, beginJob, exchangeAt, untilRefused, untilServed, useAt } from './tools/calls.ts';
import { bound, count, LIMIT_MS } from './tools/counts.ts';
import { breathe } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';

/** By gateways and by whoever reads the key set. */
const ROTATIONS = count(2, 10);
/** An STS asks for keys that it does not know three times at once, and then each 20 seconds. */
const ISSUER_ROTATIONS = count(1, 10);
const ISSUER_PAUSE_MS = count(0, 21_000);
const REQUESTS_PER_SECOND = count(25, 100);
/** Verifiers may keep the key sets for minutes; these keep them for as long as a new key is published here before it signs. */
const KEPT_MS = 2000;
const PUBLISHED_MS = KEPT_MS + 1500;
const REVOKED_LIMIT_MS = 60_000;
/** What is signed with the key after a revoked one is good again. */
const AGAIN_LIMIT_MS = bound(5000);

let fleet: Fleet;
let job: StartedJob;

beforeAll(async () => {
  fleet = await makeFleet({ gateways: 2 });
  await fleet.start();
  job = await beginJob(fleet);
}, LIMIT_MS);
afterAll(() => fleet?.close());

type Server = keyof Fleet['operatorFiles'];

/** Carries out a verb of `jobpass keys`; gives the id of the key that it was about. */
async function keys(server: Server, verb: string, order: Readonly<Record<string, string | boolean>>): Promise<string> {
  const credential = credentialIn(fleet.operatorFiles[server]);
  const { body, status } = await askOperator(credential, `/admin/v1/keys/${verb}`, order);
  if (status !== 200) throw new Error(`${verb}: ${JSON.stringify(body)}`);
  return String((body.done as Record<string, unknown>).key);
}

/** Published, known to every verifier, and signing. */
async function rotate(server: Server, ring: string): Promise<void> {
  await keys(server, 'prepare', { ring });
  await breathe(PUBLISHED_MS);
  // Early by the servers' count, which knows of verifiers that keep a set for minutes.
  await keys(server, 'activate', { ring, early: true });
}

/** Identity tokens, exchanges, credentials at gateways, and two relying parties that cache, until `stop`; what failed, and how. */
class Traffic {
  readonly failures: string[] = [];
  readonly signers = new Set<string>();
  requests = 0;
  readonly #idTokens = new CachingVerifier(`${fleet.doors.issuer}/.well-known/jwks`, KEPT_MS);
  readonly #accessTokens = new CachingVerifier(`${fleet.doors.sts}/.well-known/jwks`, KEPT_MS);
  readonly #under: Promise<void>[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    this.#timer = setInterval(() => {
      this.requests += 1;
      this.#under.push(this.#one(this.requests).catch((error: unknown) => void this.failures.push(String(error))));
    }, 1000 / REQUESTS_PER_SECOND);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
  }

  async #one(number: number): Promise<void> {
    const idToken = await tokenOrThrow();
    this.#note('issuer', idToken);
    await this.#idTokens.verify(idToken);
    const granted = await exchangeAt(fleet.doors.sts, idToken);
    if (granted?.status !== 200) throw new Error(`the exchange gave ${JSON.stringify(granted)}`);
    const credential = String(granted.body.access_token);
    this.#note('sts', credential);
    await this.#accessTokens.verify(credential);
    const gateway = fleet.gatewayUrls[number % fleet.gatewayUrls.length] ?? '';
    const used = await useAt(gateway, credential);
    if (used?.status !== 200) throw new Error(`the gateway gave ${JSON.stringify(used)}`);
  }

  #note(server: Server, token: string): void {
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    this.signers.add(`${server} ${header.kid}`);
  }
}

async function tokenOrThrow(): Promise<string> {
  const reply = await askForToken(fleet, job);
  if (reply?.status !== 200) throw new Error(`the issuer gave ${JSON.stringify(reply)}`);
  return String(reply.body.value);
}

test(
  `${ROTATIONS} rotations of the STS's keys and ${ISSUER_ROTATIONS} of the issuer's fail no verifier`,
  async () => {
    const traffic = new Traffic();
    traffic.start();
    const ofSts = async (): Promise<void> => {
      for (let turn = 0; turn < ROTATIONS; turn += 1) {
        await rotate('sts', 'access-token');
        await rotate('sts', 'group/artifacts');
      }
    };
    const ofIssuer = async (): Promise<void> => {
      for (let turn = 0; turn < ISSUER_ROTATIONS; turn += 1) {
        await rotate('issuer', 'id-token');
        await breathe(ISSUER_PAUSE_MS);
      }
    };
    await Promise.all([ofSts(), ofIssuer()]);
    await breathe(KEPT_MS);
    await traffic.stop();
    console.info(`${traffic.requests} requests, ${traffic.signers.size} keys, ${traffic.failures.length} failures`);
    expect(traffic.failures).toEqual([]);
    expect(traffic.signers.size).toBe(ROTATIONS + ISSUER_ROTATIONS + 2);
  },
  LIMIT_MS,
);

test(
  'a revoked key of the STS opens no gateway, and one of the issuer no role, within a minute',
  async () => {
    const idToken = await tokenOrThrow();
    const credential = String((await exchangeAt(fleet.doors.sts, idToken))?.body.access_token);
    const kidOf = (token: string): string =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    const revoked = performance.now();
    await keys('sts', 'revoke', { ring: 'access-token', kid: kidOf(credential) });
    await keys('issuer', 'revoke', { ring: 'id-token', kid: kidOf(idToken) });
    const times = await Promise.all([
      ...fleet.gatewayUrls.map((gateway) => untilRefused(() => useAt(gateway, credential), revoked, REVOKED_LIMIT_MS)),
      untilRefused(() => exchangeAt(fleet.doors.sts, idToken), revoked, REVOKED_LIMIT_MS),
    ]);
    console.info(`revoked keys are refused after ${times.map((ms) => Math.round(ms)).join(', ')} ms`);
    // Also when the STS asked for an unknown key a moment ago, as it did when the keys were rotated.
    const { credential: next, tookMs } = await untilServed(fleet, AGAIN_LIMIT_MS);
    console.info(`a job that starts then is served after ${Math.round(tookMs)} ms`);
    for (const gateway of fleet.gatewayUrls)
      await expect.poll(async () => (await useAt(gateway, next))?.status, { timeout: REVOKED_LIMIT_MS }).toBe(200);
  },
  LIMIT_MS,
);
