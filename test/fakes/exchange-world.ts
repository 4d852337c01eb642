// The exchange pipeline by itself, for wires and credentials: frozen clock, store in memory, one CI's issuer behind a fetch.
import type { Statement } from '../../src/base/core/permissions.ts';
import { buildPolicySet } from '../../src/policy/policy-set.ts';
import type { Role } from '../../src/policy/role.ts';
import { type CallerDeps, openCaller } from '../../src/sts/callers.ts';
import { type AwsCredentials, issueAwsCredentials } from '../../src/sts/credentials.ts';
import { type ExchangeDeps, exchange } from '../../src/sts/exchange.ts';
import type { ExchangeRequest } from '../../src/sts/exchange-request.ts';
import type { Granted } from '../../src/sts/grant.ts';
import { ceilingsOf } from '../../src/sts/judge.ts';
import { RefusalRing } from '../../src/sts/refusal-ring.ts';
import { RepeatedRefusals } from '../../src/sts/repeated-refusals.ts';
import { FeedAges } from '../../src/sts/verifier/feed-ages.ts';
import { introspectOver } from '../../src/sts/verifier/introspect.ts';
import { JwksCache } from '../../src/sts/verifier/jwks-cache.ts';
import { trustedIssuers } from '../../src/sts/verifier/trusted-issuers.ts';
import { CountingRandom } from './counting-random.ts';
import { FakeJobIssuer, fakeKey } from './fake-job-issuer.ts';
import { FrozenClock } from './frozen-clock.ts';
import { groupKeysOf } from './group-keys.ts';
import { MemoryLog } from './memory-log.ts';
import { MemoryStsStore } from './memory-sts-store.ts';
import { wideCeiling } from './roles.ts';
import { keysOf, STS_URL } from './sts-world.ts';

/** The pipeline with these roles. `request` fills in what a test does not ask for. */
export class ExchangeWorld {
  readonly clock = new FrozenClock(1_800_000_000);
  readonly issuer = new FakeJobIssuer(this.clock);
  readonly store = new MemoryStsStore();
  readonly log = new MemoryLog();
  readonly key = fakeKey('sts-key');
  readonly groupKeys = new Map([['artifacts', { view: groupKeysOf(7) }]]);
  readonly awsPolicies = new Map<string, ReadonlyMap<string, readonly Statement[]>>();
  roles: readonly Role[];
  readonly deps: ExchangeDeps;
  readonly callerDeps: CallerDeps;

  constructor(roles: readonly Role[]) {
    this.roles = roles;
    const { clock, log, store } = this;
    const registration = this.issuer.registration({ jobStatus: { kind: 'none' }, maxSessionSeconds: 43_200 });
    const keys = new JwksCache({ issuers: [registration], fetch: this.issuer.fetch, clock, log });
    this.deps = {
      verifier: {
        issuers: trustedIssuers([registration]),
        keys,
        store,
        ages: new FeedAges([], clock),
        introspect: introspectOver(this.issuer.fetch, (issuer) => keys.discovered(issuer)),
        clock,
        clockSkewSeconds: 30,
      },
      policies: { current: () => buildPolicySet(this.roles), isFresh: () => true },
      ceilings: ceilingsOf([wideCeiling('main'), wideCeiling('other')]),
      awsPolicies: this.awsPolicies,
      resources: new Map([
        ['https://artifacts.example.com', 'artifacts'],
        ['https://packages.example.com', 'packages'],
      ]),
      store,
      ring: new RefusalRing(),
      repeated: new RepeatedRefusals(clock),
      stsUrl: STS_URL,
      clockSkewSeconds: 30,
      clock,
      random: new CountingRandom(1),
      log,
    };
    const verificationKeys = () => keysOf(this.key.publicJwk);
    const { groupKeys } = this;
    this.callerDeps = { stsUrl: STS_URL, keys: { verificationKeys }, groupKeys, store, clock, clockSkewSeconds: 30 };
  }

  async exchange(
    request: Omit<ExchangeRequest, 'token' | 'remoteAddress' | 'askedSeconds'> & Partial<ExchangeRequest>,
  ) {
    const token = await this.issuer.idToken();
    return exchange(this.deps, { token, remoteAddress: '192.0.2.7', askedSeconds: undefined, ...request });
  }

  /** The grant, or an error with the reason of the refusal. */
  async granted(...request: Parameters<ExchangeWorld['exchange']>): Promise<Granted> {
    const outcome = await this.exchange(...request);
    if (outcome.ok) return outcome;
    throw new Error(outcome.reason);
  }

  issueAws({ role, session }: Granted): Promise<AwsCredentials> {
    const groupKey = this.groupKeys.get(session.group)?.view.active;
    if (groupKey === undefined || role.aws === null) throw new Error('not a role of AWS clients');
    const { signer } = this.key;
    return issueAwsCredentials(session, {
      stsUrl: STS_URL,
      signer,
      roleArn: role.aws.roleArn,
      groupKey,
    });
  }

  openCaller = (token: string) => openCaller(this.callerDeps, token);
}
