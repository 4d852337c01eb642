// Decisions as the operator routes answer them.
import type { DecisionRecord } from '../../base/audit/record.ts';
import { isJsonObject, type JsonObject } from '../../base/core/json.ts';
import { CommandFailure, EXIT } from './command.ts';
import type { NearestRole } from './show-decision.ts';

/** The server is ours and answered over its own socket: its record is taken as it is once it is an object. */
export function readDecision(value: unknown): DecisionRecord {
  if (!isJsonObject(value))
    throw new CommandFailure('the server gave an answer that cannot be read', { exitCode: EXIT.unavailable });
  return value as unknown as DecisionRecord;
}

/** The list of `GET /admin/v1/decisions`. */
export const readDecisions = ({ decisions }: JsonObject): readonly DecisionRecord[] =>
  Array.isArray(decisions) ? decisions.map(readDecision) : [];

/** The nearest role of `GET /admin/v1/decisions/{id}`, when there is one. */
export function readNearest({ nearest }: JsonObject): NearestRole | null {
  if (!isJsonObject(nearest) || typeof nearest.role !== 'string' || typeof nearest.missing !== 'number') return null;
  return { role: nearest.role, missing: nearest.missing };
}
