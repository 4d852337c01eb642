// Values for the conformance suite: complete, plausible, each call its own. No randomness, no clock.
import type { ActionRecord } from '../../base/audit/record.ts';
import type { IssuedToken, Job, JobFacts, RequestToken } from '../../issuer/store.ts';
import type { StoredKey } from '../../keys/store.ts';
import type { DecisionRecord, EpochScope, Session, StsStore, TokenUse, Tombstone } from '../../sts/store.ts';

/** The moment the suite plays at: 2026-11-23T03:00:00Z. */
export const NOW = 1_795_402_800;
export const ISSUER = 'https://ci.example.com';
export const GROUP = 'artifacts';

export const FACTS: JobFacts = {
  owner: { name: 'acme', id: '42' },
  pipeline: { name: 'web', id: '7' },
  workflow: 'release',
  workflowRef: 'acme/web/release.yaml@refs/heads/main',
  job: 'publish',
  runId: '1001',
  runNumber: '12',
  runAttempt: '1',
  ref: 'refs/heads/main',
  refType: 'branch',
  refProtected: true,
  sha: '4be1f0c0d5f5ad8e9c1b8a7f6e5d4c3b2a190817',
  event: 'push',
  actor: { name: 'you', id: '5' },
  environment: 'production',
  environmentProtected: false,
  runnerId: 'r-1',
  runnerEnvironment: 'self-hosted',
  fork: false,
  interactive: false,
  local: false,
  extra: { acme_stage: 'späte Nacht 🌙' },
  awsSessionTags: ['owner'],
};

/** A running job `id`, ten minutes long. */
export const jobOf = (id: string, change: Partial<Job> = {}): Job => ({
  id,
  controller: 'woodpecker',
  idempotencyKey: `key-${id}`,
  requestDigest: `digest-${id}`,
  facts: FACTS,
  audiences: ['https://sts.example.com', 'sts.amazonaws.com'],
  startedAt: NOW,
  deadline: NOW + 600,
  heartbeatSeconds: null,
  lastHeartbeatAt: NOW,
  endedAt: null,
  endReason: null,
  ...change,
});

export const requestTokenOf = (jobId: string, change: Partial<RequestToken> = {}): RequestToken => ({
  hash: `hash-of-first-${jobId}`,
  jobId,
  audiences: null,
  ...change,
});

export const issuedTokenOf = (jti: string, jobId: string, change: Partial<IssuedToken> = {}): IssuedToken => ({
  jti,
  jobId,
  audience: 'https://sts.example.com',
  expiresAt: NOW + 600,
  ...change,
});

/** A key whose sealed part holds every byte. */
export const keyOf = (kid: string, change: Partial<StoredKey> = {}): StoredKey => ({
  kid,
  ring: 'id-token',
  algorithm: 'RS256',
  state: 'active',
  stateSince: NOW,
  createdAt: NOW,
  publicJwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
  sealed: Uint8Array.from({ length: 256 }, (_, index) => index),
  ...change,
});

/** The record of a grant, with every part of a trace. */
export const grantedRecord = (name: string, change: Partial<DecisionRecord> = {}): DecisionRecord => ({
  id: `D${name}`,
  at: NOW * 1000 + 7,
  outcome: 'granted',
  wire: 'rfc8693',
  role: { tenant: 'main', name: 'publish-web' },
  issuer: ISSUER,
  subject: 'owner:acme@42:pipeline:web@7:environment:production',
  jobId: `J${name}`,
  tokenId: `jti-${name}`,
  reason: null,
  detail: 'rule at line 3 held',
  sessionId: `S${name}`,
  remoteAddress: '192.0.2.7',
  claims: { owner: 'acme', nested: { list: [1, true, null, 'a\u0000b'] }, ['__proto__']: 'own' },
  trace: {
    checks: [{ check: 'signature', outcome: 'held', detail: 'RS256 9f3c' }],
    role: {
      file: 'main/publish-web.yaml',
      policySet: '51c0',
      satisfiable: 'yes',
      rules: [
        {
          line: 3,
          held: true,
          clauses: [
            { subject: 'ref', wanted: ['refs/heads/main'], presented: 'refs/heads/main', outcome: 'held', line: 5 },
            { subject: 'fork', wanted: ['false'], presented: null, outcome: 'failed', nearMiss: 'type', line: 6 },
            { subject: 'environment', wanted: ['production'], outcome: 'not_reached', line: 7 },
          ],
        },
      ],
    },
    lifetime: {
      roleSeconds: 1800,
      ceilingSeconds: 3600,
      untilDeadlineSeconds: 598,
      givenSeconds: 598,
      boundBy: 'deadline',
      note: 'short',
    },
    session: { name: 'job-1', tags: { pipeline: 'wéb', ['__proto__']: 'own' }, sourceIdentity: null, narrowed: true },
    jobBound: true,
  },
  ...change,
});

/** The record of a refusal: no session, a reason. */
export const refusedRecord = (name: string, change: Partial<DecisionRecord> = {}): DecisionRecord =>
  grantedRecord(name, {
    outcome: 'refused',
    role: null,
    jobId: null,
    tokenId: null,
    reason: 'no_rule_matched',
    detail: 'ref differs in case',
    sessionId: null,
    trace: { checks: [], jobBound: false },
    ...change,
  });

/** The record of an action `A<name>`. */
export const actionRecord = (name: string, change: Partial<ActionRecord> = {}): ActionRecord => ({
  kind: 'action',
  id: `A${name}`,
  at: NOW * 1000,
  actor: { kind: 'client', name: 'alice' },
  action: 'session.end',
  tenant: 'main',
  target: `S${name}`,
  detail: {},
  ...change,
});

export const sessionOf = (name: string, change: Partial<Session> = {}): Session => ({
  id: `S${name}`,
  decisionId: `D${name}`,
  role: { tenant: 'main', name: 'publish-web' },
  group: GROUP,
  issuer: ISSUER,
  subject: 'owner:acme@42:pipeline:web@7:environment:production',
  jobId: `J${name}`,
  jobBound: true,
  issuedAt: NOW,
  expiresAt: NOW + 600,
  claims: { pipeline_id: '7', ['__proto__']: 'own' },
  tags: {},
  sourceIdentity: null,
  name: null,
  policy: null,
  federation: null,
  parentId: null,
  ...change,
});

export type Grant = Parameters<StsStore['grant']>[0];

interface GrantChange {
  readonly session?: Partial<Session>;
  readonly uses?: readonly TokenUse[];
  readonly issuedFrom?: number;
  readonly client?: string;
  readonly now?: number;
  readonly skewSeconds?: number;
}

/** A grant `name` to the job `J<name>`, or to `session.jobId`. */
export function grantOf(name: string, change: GrantChange = {}): Grant {
  const session = sessionOf(name, change.session);
  return {
    session,
    record: grantedRecord(name, { jobId: session.jobId }),
    uses: change.uses ?? [],
    issuedFrom: change.issuedFrom ?? session.issuedAt,
    client: change.client ?? null,
    now: change.now ?? NOW,
    skewSeconds: change.skewSeconds ?? 30,
  };
}

/** A grant of a session that has no role yet. */
export function federatedGrant(name: string): Grant {
  const { id, decisionId, issuer, subject, jobId, jobBound, issuedAt, expiresAt } = sessionOf(name);
  const federation = { provider: '//p', claims: { sub: 'x' }, tokenIssuedAt: NOW, tokenExpiresAt: NOW + 600 };
  const session = { id, decisionId, issuer, subject, jobId, jobBound, issuedAt, expiresAt, role: null, federation };
  return { ...grantOf(name), session };
}

export const tombstoneOf = (jobId: string, change: Partial<Tombstone> = {}): Tombstone => ({
  issuer: ISSUER,
  jobId,
  endedAt: NOW + 1,
  expiresAt: NOW + 600,
  ...change,
});

/** An epoch `name` of the scope, raised at NOW + 1. */
export const raiseOf = (name: string, scope: EpochScope, now = NOW + 1): Parameters<StsStore['raiseEpoch']>[0] => ({
  scope,
  now,
  record: actionRecord(name),
});

/** The items in the order given, one at a time. */
export async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) await act(item);
}
