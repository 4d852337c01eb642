// What a row of epochs, freezes and used tokens means, whatever the engine.
import { type EpochScope, nameOfScope, scopeOf } from '../../base/core/epoch.ts';
import type { Epoch, Freeze, KnownUse } from '../../sts/store.ts';
import { corrupt } from './corrupt.ts';
import { integer, nullableText, type Row, text } from './row.ts';

function decodeScope(row: Row): EpochScope {
  const scope = scopeOf(text(row, 'scope'), text(row, 'name'));
  if (scope === undefined) throw corrupt('the column scope does not hold what was written');
  return scope;
}

/** A scope's column values; the name of `all` is empty. */
export const encodeScope = (scope: EpochScope) => ({ scope: scope.scope, name: nameOfScope(scope) });

/** A row of `epoch`. */
export const decodeEpoch = (row: Row): Epoch => ({ ...decodeScope(row), at: integer(row, 'at') });

/** A row of the engine's table of freezes. */
export const decodeFreeze = (row: Row): Freeze => ({
  ...decodeScope(row),
  since: integer(row, 'since'),
  reach: decodeReach(text(row, 'reach')),
});

function decodeReach(reach: string): Freeze['reach'] {
  if (reach === 'all' || reach === 'tenant') return reach;
  throw corrupt('the column reach does not hold what was written');
}

/** A row of `token_use`, with the `decision_id` of its session as far as that is known. */
export const decodeUse = (row: Row): KnownUse => ({
  sessionId: text(row, 'session_id'),
  decisionId: nullableText(row, 'decision_id'),
  client: nullableText(row, 'client'),
  usedAt: integer(row, 'used_at'),
});
