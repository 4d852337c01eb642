// The audit records: what was asked, by whom, what came out, and why; and what was done. They hold no token and no secret.
import type { RoleRef, Trace } from '../core/decision.ts';
import { type Claims, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Reason } from '../core/reasons.ts';
import type { EpochMs } from '../core/time.ts';

/** The protocols that requests come in by; a store keeps each of them. */
export const WIRES = ['rfc8693', 'aws', 'gcp', 'azure'] as const;
export type Wire = (typeof WIRES)[number];

/** One decision of the STS on a token whose signature was verified. */
export interface DecisionRecord {
  readonly id: string;
  readonly at: EpochMs;
  readonly outcome: 'granted' | 'refused';
  readonly wire: Wire;
  /** The asked role; null when the request named none that could be read. */
  readonly role: RoleRef | null;
  readonly issuer: string;
  readonly subject: string;
  readonly jobId: string | null;
  /** The token's `jti`; null when the issuer gives none. */
  readonly tokenId: string | null;
  /** Null when granted. */
  readonly reason: Reason | null;
  readonly detail: string;
  /** Null when refused. */
  readonly sessionId: string | null;
  readonly remoteAddress: string;
  readonly claims: Claims;
  readonly trace: Trace;
}

/** Everything that is recorded besides decisions. */
export const ACTIONS = [
  'session.end',
  'job.end',
  'session.repeat',
  'token.revoke',
  'epoch.raise',
  'freeze.on',
  'freeze.off',
  'key.prepare',
  'key.activate',
  'key.retire',
  'key.revoke',
  'key.rewrap',
  'audit.prune',
  'store.begin_anew',
  'policy.activate',
] as const;
type Action = (typeof ACTIONS)[number];

/**
 * Who did something: a client by its name (operators are clients), whoever bore the credential (its session's id is the
 * name), or the server by itself.
 */
export const ACTOR_KINDS = ['client', 'bearer', 'server'] as const;
/** Who did something. */
export interface Actor {
  readonly kind: (typeof ACTOR_KINDS)[number];
  readonly name: string;
}

/** One thing that was done, by whom and to what. */
export interface ActionRecord {
  readonly kind: 'action';
  readonly id: string;
  readonly at: EpochMs;
  readonly actor: Actor;
  readonly action: Action;
  /** Null when it concerns more than one tenant, or none. */
  readonly tenant: string | null;
  /** What was acted on: a session id, `role main/publish-web`, `ring id-token key 9f3c`. */
  readonly target: string;
  readonly detail: JsonObject;
}

/** A record as it is written: its kind leads. */
export type AuditRecord = ({ readonly kind: 'decision' } & DecisionRecord) | ActionRecord;

/** What a store keeps beside a record's text, to find it by. The text alone is hashed, so it is what counts. */
export interface RecordIndex {
  readonly kind: string;
  readonly id: string;
  readonly at: EpochMs;
  /** Of a decision, the asked role's. */
  readonly tenant: string | null;
}

/** What is hashed and kept of a record. */
export interface EncodedRecord {
  /** JSON, exactly as it is hashed. */
  readonly body: string;
  readonly index: RecordIndex;
}

/** A record's text and what it is found by. */
export function encodeRecord(record: AuditRecord): EncodedRecord {
  const { at, id, kind } = record;
  const tenant = record.kind === 'decision' ? (record.role?.tenant ?? null) : record.tenant;
  return { body: JSON.stringify(record), index: { kind, id, at, tenant } };
}

/** The record of a decision as it is written. */
export const decisionEntry = (record: DecisionRecord): EncodedRecord => encodeRecord({ kind: 'decision', ...record });

/** What a record's text says that it is found by; undefined when it is no record. Newer versions' records count as well. */
export function readIndex(body: string): RecordIndex | undefined {
  const record = parsed(body);
  if (!isJsonObject(record)) return undefined;
  const { at, id, kind, role } = record;
  if (typeof kind !== 'string' || typeof id !== 'string' || typeof at !== 'number') return undefined;
  const tenant = kind === 'decision' ? isJsonObject(role) && role.tenant : record.tenant;
  return { kind, id, at, tenant: typeof tenant === 'string' ? tenant : null };
}

/** Whether what a record is found by is what its text says. */
export function isIndexOf(body: string, index: RecordIndex): boolean {
  const said = readIndex(body);
  return said?.kind === index.kind && said.id === index.id && said.at === index.at && said.tenant === index.tenant;
}

function parsed(body: string): JsonValue | undefined {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
