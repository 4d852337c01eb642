// Judges tokens by a Google Cloud workload identity pool provider and the bindings on its pool (cloud-wire §2.4). Reading
// them is readers/gcp.ts's business.

import type { ClauseTrace } from '../../base/core/decision.ts';
import { ownMember } from '../../base/core/json.ts';
import { checkAudience } from '../../base/jwt/claims.ts';
import { MAX_COST, type Meter } from '../expression/cost.ts';
import { bindingsClause, canBeMember, type GcpBindings } from './gcp-bindings.ts';
import { conditionClause, type GcpCondition } from './gcp-condition.ts';
import { canAlwaysMap, type GcpMapping, mapAttributes, unreachedMapping } from './gcp-mapping.ts';
import { nearEqual } from './near-text.ts';
import type { Reach, TokenView, Trust, Verdict } from './trust.ts';

export interface GcpProvider {
  /** `iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P`, as the names of its identities begin. */
  readonly pool: string;
  readonly issuer: string;
  /** Any of them; never empty. */
  readonly audiences: readonly string[];
  /** Why Google takes no token for it; absent when it does. */
  readonly off?: string;
  readonly mappings: readonly GcpMapping[];
  readonly condition?: GcpCondition;
  readonly line: number;
  readonly issuerLine: number;
  readonly audienceLine: number;
}

export interface GcpDocument {
  readonly provider: GcpProvider;
  /** Absent: whatever the condition lets into the pool is let in. */
  readonly bindings?: GcpBindings;
  readonly line: number;
}

/**
 * The trust of a provider: issuer, audience, every mapping, the condition, then any one member of the bindings. Precondition:
 * the reader accepted the document.
 */
export function gcpTrust(document: GcpDocument): Trust {
  const { provider, line } = document;
  return {
    dialect: 'gcp',
    line,
    issuers: [provider.issuer],
    judge: (token, reach = 'first_failure') => judge(document, token, reach),
    satisfiable: (issuer) => (issuer === provider.issuer ? satisfiable(document) : 'no'),
  };
}

function judge({ provider, bindings, line }: GcpDocument, token: TokenView, reach: Reach): Verdict {
  const { claims } = token;
  const clauses: ClauseTrace[] = [...providerClauses(provider, token)];
  const isHeld = (): boolean => clauses.every((clause) => clause.outcome === 'held');
  const goesOn = reach === 'every_clause' && provider.issuer === token.issuer;
  // All expressions together may cost what one may cost alone.
  const meter: Meter = token.meter ?? { left: MAX_COST };
  const mapped =
    isHeld() || goesOn
      ? mapAttributes(provider.mappings, claims, { meter, goesOn })
      : { clauses: provider.mappings.map(unreachedMapping) };
  clauses.push(...mapped.clauses);
  const { attributes } = mapped;
  if (provider.condition !== undefined)
    clauses.push(conditionClause(provider.condition, { claims, attributes, meter }));
  // Whom the condition keeps out is nobody in the pool.
  const member = isHeld() || goesOn ? attributes : undefined;
  clauses.push(bindingsClause(bindings, { pool: provider.pool, attributes: member, line: provider.line }));
  const held = isHeld();
  return { held, rules: [{ line, held, clauses }] };
}

/** Google takes no token that lives as long or longer. */
export const MAX_LIFETIME_SECONDS = 24 * 60 * 60;

/** What is looked at before any expression: whether the provider is on, issuer, audience, lifetime. */
function providerClauses(provider: GcpProvider, token: TokenView): readonly ClauseTrace[] {
  const isIssuer = token.issuer === provider.issuer;
  const issuer: ClauseTrace = {
    subject: 'issuer',
    wanted: [provider.issuer],
    presented: token.issuer,
    line: provider.issuerLine,
    ...outcomeOf(isIssuer, nearEqual(token.issuer, provider.issuer)),
  };
  const aud = { subject: 'aud', wanted: provider.audiences, line: provider.audienceLine };
  if (!isIssuer) return [issuer, { ...aud, outcome: 'not_reached' }];
  const presented = ownMember(token.claims, 'aud');
  const nearMiss = provider.audiences.map((wanted) => nearEqual(presented, wanted)).find((miss) => miss !== undefined);
  const audience: ClauseTrace = {
    ...aud,
    ...(presented === undefined ? {} : { presented }),
    ...outcomeOf(checkAudience(token.claims, provider.audiences).ok, nearMiss),
  };
  return [issuer, ...stateClauses(provider), audience, ...lifetimeClauses(provider, token)];
}

const outcomeOf = (held: boolean, nearMiss: ClauseTrace['nearMiss']): Pick<ClauseTrace, 'outcome' | 'nearMiss'> =>
  held ? { outcome: 'held' } : { outcome: 'failed', ...(nearMiss === undefined ? {} : { nearMiss }) };

const stateClauses = ({ off, line }: GcpProvider): readonly ClauseTrace[] =>
  off === undefined ? [] : [{ subject: 'provider', wanted: ['ACTIVE'], outcome: 'failed', problem: off, line }];

/** A dry run may leave the times out: verifying them is not the policy's business. */
function lifetimeClauses({ line }: GcpProvider, { claims }: TokenView): readonly ClauseTrace[] {
  const issuedAt = ownMember(claims, 'iat');
  const expiresAt = ownMember(claims, 'exp');
  if (typeof issuedAt !== 'number' || typeof expiresAt !== 'number') return [];
  if (expiresAt - issuedAt < MAX_LIFETIME_SECONDS) return [];
  const problem = 'invalid_grant: Google takes no token that lives 24 hours or longer';
  const wanted = ['less than 24 hours after iat'];
  return [{ subject: 'exp', wanted, presented: expiresAt, outcome: 'failed', problem, line }];
}

/** `no` only where nothing that a token says can help, `yes` only where nothing but plain claims is asked for. */
function satisfiable({ provider, bindings }: GcpDocument): 'yes' | 'no' | 'unknown' {
  const { condition, mappings, off, pool } = provider;
  if (off !== undefined || condition?.isNever === true) return 'no';
  const member = bindings === undefined ? 'yes' : canBeMember(bindings, pool, new Set(mappings.map(({ key }) => key)));
  if (member === 'no') return 'no';
  return member === 'yes' && condition === undefined && canAlwaysMap(mappings) ? 'yes' : 'unknown';
}
