// Whether what a role asks for lies within what the operator lets its tenant give away. Sound: a doubt is a no.
import { formatDuration } from '../base/core/duration.ts';
import { nearestName } from '../base/document/nearest-name.ts';
import { asciiLower, asGlob, covers, type Glob, parseTemplate, type Template } from './iam/template.ts';
import type { Ceiling } from './role.ts';

/** One thing that a role asks for. Only allow statements ask; a deny takes nothing. Actions are in lower case. */
export type CeilingAsk =
  | { readonly kind: Listed; readonly value: string }
  | { readonly kind: 'action' | 'resource'; readonly pattern: Template }
  | { readonly kind: 'duration'; readonly value: number };

/** What a ceiling lists by name. */
type Listed = 'issuer' | 'gateway' | 'account' | 'project' | 'azure_tenant';

/** A ceiling whose patterns were read. Those that name a claim or cannot be read are left out: they cover nothing. */
export interface CompiledCeiling {
  readonly source: Ceiling;
  /** In lower case: AWS compares actions without regard to case. */
  readonly actions: readonly Glob[];
  readonly resources: readonly Glob[];
}

/** Compiles once what many roles are held against. */
export const compileCeiling = (source: Ceiling): CompiledCeiling => ({
  source,
  actions: source.actions.map(asciiLower).flatMap(readGlob),
  resources: source.resources.flatMap(readGlob),
});

function readGlob(text: string): readonly Glob[] {
  const template = parseTemplate(text);
  const glob = template.ok ? asGlob(template.value) : undefined;
  return glob === undefined ? [] : [glob];
}

/** Why `ask` is beyond the ceiling, and what would be within it; undefined when it is within. */
export function ceilingProblem(
  ceiling: CompiledCeiling,
  ask: CeilingAsk,
): { readonly message: string; readonly hint: string } | undefined {
  const { source } = ceiling;
  const beyond = (hint: string) => ({ message: `beyond the ceiling of tenant ${source.tenant}`, hint });
  switch (ask.kind) {
    case 'duration':
      if (ask.value <= source.maxDurationSeconds) return undefined;
      return beyond(`at most ${formatDuration(source.maxDurationSeconds)}`);
    case 'action':
      return isCovered(ceiling.actions, ask.pattern) ? undefined : beyond(within(source.actions));
    case 'resource':
      return isCovered(ceiling.resources, ask.pattern) ? undefined : beyond(within(source.resources));
    default: {
      const listed = listedOf(source, ask.kind);
      return listed === 'all' || listed.includes(ask.value) ? undefined : beyond(nearestWithin(listed, ask.value));
    }
  }
}

function listedOf(ceiling: Ceiling, kind: Listed): readonly string[] | 'all' {
  switch (kind) {
    case 'issuer':
      return ceiling.issuers;
    case 'gateway':
      return ceiling.gateways;
    case 'account':
      return ceiling.awsAccounts;
    case 'project':
      return ceiling.gcpProjects;
    case 'azure_tenant':
      return ceiling.azureTenants;
  }
}

const nearestWithin = (allowed: readonly string[], value: string): string =>
  nearestName(value, allowed) ?? within(allowed);

const within = (allowed: readonly string[]): string =>
  allowed.length === 0 ? 'nothing of this kind is within it' : `within it: ${allowed.slice(0, 5).join(', ')}`;

/** Each pattern must lie within one entry: two entries together are never tried, so the answer stays easy to check. */
const isCovered = (allowed: readonly Glob[], asked: Template): boolean => allowed.some((entry) => covers(entry, asked));
