// How commands name what an epoch ends or a freeze stops: --role, --tenant, --issuer or --all.
import type { JsonObject } from '../../base/core/json.ts';
import { CommandFailure, EXIT, type OptionValue, text } from './command.ts';

/** The options that name a scope. */
export const SCOPE_OPTIONS = {
  role: { type: 'string' },
  tenant: { type: 'string' },
  issuer: { type: 'string' },
  all: { type: 'boolean' },
} as const;

/** Their help. */
export const SCOPE_HELP = {
  role: 'everything of one role, tenant/name',
  tenant: 'everything of one tenant',
  issuer: 'everything of one issuer, by its URL',
  all: 'everything there is',
} as const;

/** The one scope that the options name, as the operator routes take it; undefined when they name none. */
export function scopeOption(options: Readonly<Record<string, OptionValue>>): JsonObject | undefined {
  const named = (['role', 'tenant', 'issuer'] as const).flatMap((scope) => {
    const name = text(options[scope]);
    return name === undefined ? [] : [{ scope, name }];
  });
  const scopes: readonly JsonObject[] = options.all === true ? [...named, { scope: 'all' }] : named;
  if (scopes.length <= 1) return scopes[0];
  throw new CommandFailure('more than one thing is named', {
    exitCode: EXIT.usage,
    hint: 'one of --role, --tenant, --issuer and --all',
  });
}
