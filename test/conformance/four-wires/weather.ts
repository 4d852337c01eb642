// What happens around an ordinary token that the role trusts, and what must come of it.
import type { Reason } from '../../../src/base/core/reasons.ts';
import { actionRecord } from '../../../src/storage/conformance/fixtures.ts';
import { answer, fakeKey, noAnswer } from '../../fakes/fake-job-issuer.ts';
import type { StsWorld, StsWorldOptions } from '../../fakes/sts-world.ts';
import type { WireAdapter } from './wires.ts';

export interface Weather {
  readonly name: string;
  readonly outcome: Reason;
  readonly options: StsWorldOptions;
  /** Of the role, instead of what roles usually have. */
  readonly session?: string;
  /** What happens once the STS runs, and before the token is presented. */
  readonly whileRunning?: (world: StsWorld, adapter: WireAdapter, token: string) => unknown;
}

/** Tokens of an issuer that tells nothing of its jobs, so that only the token and the policy decide. */
export const UNBOUND: StsWorldOptions = { registration: { jobStatus: { kind: 'none' } } };

/** An STS whose issuer is bent before it is asked for the first time. */
const withIssuer = (bend: (issuer: StsWorld['issuer']) => unknown): StsWorldOptions => ({
  ...UNBOUND,
  before: ({ issuer }) => {
    bend(issuer);
  },
});

export const WEATHER: readonly Weather[] = [
  {
    name: 'the issuer’s keys cannot be fetched',
    outcome: 'issuer_unreachable',
    options: withIssuer(({ handlers }) => handlers.set('/jwks', () => noAnswer())),
  },
  {
    name: 'the issuer answers with no key set',
    outcome: 'issuer_unusable',
    options: withIssuer(({ handlers }) => handlers.set('/jwks', () => answer('no'))),
  },
  {
    name: 'the issuer has withdrawn its key',
    outcome: 'key_unknown',
    options: withIssuer((issuer) => issuer.published.splice(0, 1, fakeKey('key-2').publicJwk)),
  },
  {
    name: 'the store takes no grant',
    outcome: 'store_unavailable',
    options: UNBOUND,
    whileRunning: ({ store }) => {
      store.hooks.beforeGrant = () => Promise.reject(new Error('disk full'));
    },
  },
  {
    name: 'the clock is behind',
    outcome: 'clock_behind',
    options: UNBOUND,
    whileRunning: ({ clock, store }) => store.prune(clock.nowSeconds() + 1000),
  },
  {
    name: 'the job is over',
    outcome: 'job_ended',
    options: {},
    whileRunning: ({ clock, issuer, store }) => {
      const now = clock.nowSeconds();
      return store.buryJobs([{ issuer: issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 600 }]);
    },
  },
  {
    name: 'granting is frozen for the tenant',
    outcome: 'granting_frozen',
    options: UNBOUND,
    whileRunning: ({ store }) =>
      store.setFreeze({
        scope: { scope: 'tenant', name: 'main' },
        frozen: true,
        reach: 'all',
        record: actionRecord('F'),
      }),
  },
  {
    name: 'an epoch of the issuer was raised since the token was issued',
    outcome: 'epoch_raised',
    options: UNBOUND,
    whileRunning: ({ clock, issuer, store }) =>
      store.raiseEpoch({
        scope: { scope: 'issuer', name: issuer.issuer },
        now: clock.nowSeconds(),
        record: actionRecord('E'),
      }),
  },
  {
    name: 'nobody knows whether the job still runs',
    outcome: 'job_status_unknown',
    options: {},
    whileRunning: ({ issuer }) => issuer.handlers.set('/v1/introspect', () => noAnswer()),
  },
  {
    name: 'the token was used before',
    outcome: 'token_replayed',
    options: UNBOUND,
    session: 'max_duration: 30m, single_use: true',
    whileRunning: async (world, { ask, wire }, token) => {
      if (!(await ask(world, token)).granted) throw new Error(`the first use was not granted over ${wire}`);
    },
  },
];
