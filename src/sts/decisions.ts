// Finding decisions again, within what an operator may read: the durable ones, and the refusals in memory.
import type { DecisionRecord } from '../base/audit/record.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { decisionIdOf } from '../wire/azure/trace-id.ts';
import type { RefusalRing, UnverifiedRefusal } from './refusal-ring.ts';
import type { DecisionFilter, StsStore } from './store.ts';

/** A letter and at least three characters: enough that a typo rarely finds a decision. */
const ID_PREFIX = /^D[0-9A-HJKMNP-TV-Z]{3,12}$/;

export interface DecisionsDeps {
  readonly store: Pick<StsStore, 'findDecisions' | 'listDecisions'>;
  readonly ring: RefusalRing;
  /** Every configured tenant. */
  readonly tenants: readonly string[];
}

/**
 * Whether an operator of `readable` tenants may see the decision. One on a request that names no configured tenant belongs
 * to none, and only an operator of all tenants sees it.
 */
function isReadable(deps: DecisionsDeps, record: Pick<DecisionRecord, 'role'>, readable: readonly string[]): boolean {
  const tenant = record.role?.tenant;
  if (tenant !== undefined && deps.tenants.includes(tenant)) return readable.includes(tenant);
  return readsAll(deps, readable);
}

const readsAll = (deps: DecisionsDeps, readable: readonly string[]): boolean =>
  deps.tenants.every((known) => readable.includes(known));

/** What the store is asked for, so that it reads no record that `isReadable` would throw away. */
const filterOf = (deps: DecisionsDeps, readable: readonly string[]): DecisionFilter | undefined =>
  readsAll(deps, readable) ? undefined : { tenants: deps.tenants.filter((known) => readable.includes(known)) };

/**
 * The decision with this id, or the only one whose id begins so, or that Azure's clients know by this trace id, whatever the case. Errors: decision_unknown (also for
 * another tenant's), decision_ambiguous. Rejects when the store does.
 */
export async function findDecision(
  deps: DecisionsDeps,
  o: { readonly idOrPrefix: string; readonly readable: readonly string[] },
): Promise<Result<DecisionRecord, Failure>> {
  const prefix = decisionIdOf(o.idOrPrefix) ?? o.idOrPrefix.toUpperCase();
  if (!ID_PREFIX.test(prefix))
    return err(failure('decision_unknown', 'wanted D and at least 3 more characters of an id'));
  const known = merge(await deps.store.findDecisions(prefix, filterOf(deps, o.readable)), deps.ring.find(prefix));
  const found = known.filter((record) => isReadable(deps, record, o.readable));
  const [only, ...more] = found;
  if (only === undefined) return err(failure('decision_unknown', prefix));
  return more.length === 0 ? ok(only) : err(failure('decision_ambiguous', `several ids begin with ${prefix}`));
}

/** The newest decisions that the operator may see, newest first. Rejects when the store does. */
export async function listDecisions(
  deps: DecisionsDeps,
  o: { readonly limit: number; readonly readable: readonly string[] },
): Promise<readonly DecisionRecord[]> {
  const durable = await deps.store.listDecisions(o.limit, filterOf(deps, o.readable));
  return merge(durable, deps.ring.list())
    .filter((record) => isReadable(deps, record, o.readable))
    .sort((a, b) => b.at - a.at)
    .slice(0, o.limit);
}

/** A durable record stands before what the ring has under the same id: an answer may fail after its grant was durable. */
function merge(durable: readonly DecisionRecord[], refusals: readonly UnverifiedRefusal[]): readonly DecisionRecord[] {
  const ids = new Set(durable.map((record) => record.id));
  return [...durable, ...refusals.filter((refusal) => !ids.has(refusal.id)).map(asRecord)];
}

/** An unverified refusal in the form of a record: whose token it was is not known. */
const asRecord = (refusal: UnverifiedRefusal): DecisionRecord => ({
  id: refusal.id,
  at: refusal.at,
  outcome: 'refused',
  wire: refusal.wire,
  role: refusal.role,
  issuer: '',
  subject: '',
  jobId: null,
  tokenId: null,
  reason: refusal.reason,
  detail: refusal.detail,
  sessionId: null,
  remoteAddress: refusal.remoteAddress,
  claims: {},
  trace: { checks: refusal.checks, jobBound: false },
});
