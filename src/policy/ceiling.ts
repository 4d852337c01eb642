// Whether what a role asks for lies within what the operator lets its tenant give away. Sound: a doubt is a no.
import { formatDuration } from '../base/core/duration.ts';
import { nearestName } from '../base/document/nearest-name.ts';
import { asciiLower, asGlob, covers, type Glob, parseTemplate } from './iam/template.ts';
import type { Ceiling } from './role.ts';

/** One thing that a role asks for. Only allow statements ask; a deny takes nothing. */
export type CeilingAsk =
  | { readonly kind: Listed; readonly value: string }
  | { readonly kind: 'duration'; readonly value: number };

type Listed = 'issuer' | 'gateway' | 'action' | 'resource' | 'account' | 'project';

/** How entries of ceilings are compiled; one that remembers makes many asks cheap. */
export type CompileEntry = (text: string) => Glob | undefined;

/** Why `ask` is beyond the ceiling, and what would be within it; undefined when it is within. */
export function ceilingProblem(
  ceiling: Ceiling,
  ask: CeilingAsk,
  compile: CompileEntry = ceilingGlob,
): { message: string; hint: string } | undefined {
  if (ask.kind === 'duration') {
    if (ask.value <= ceiling.maxDurationSeconds) return undefined;
    return { message: beyond(ceiling), hint: `at most ${formatDuration(ceiling.maxDurationSeconds)}` };
  }
  const allowed = allowedOf(ceiling, ask.kind);
  if (allowed === 'all') return undefined;
  const isPattern = ask.kind === 'action' || ask.kind === 'resource';
  const isWithin = isPattern ? isCovered(allowed, ask, compile) : allowed.includes(ask.value);
  if (isWithin) return undefined;
  const nearest = isPattern ? undefined : nearestName(ask.value, allowed);
  return { message: beyond(ceiling), hint: nearest ?? within(allowed) };
}

const beyond = (ceiling: Ceiling): string => `beyond the ceiling of tenant ${ceiling.tenant}`;
const within = (allowed: readonly string[]): string =>
  allowed.length === 0 ? 'nothing of this kind is within it' : `within it: ${allowed.slice(0, 5).join(', ')}`;

function allowedOf(ceiling: Ceiling, kind: Listed): readonly string[] | 'all' {
  const lists = {
    issuer: ceiling.issuers,
    gateway: ceiling.gateways,
    action: ceiling.actions,
    resource: ceiling.resources,
    account: ceiling.awsAccounts,
    project: ceiling.gcpProjects,
  };
  return lists[kind];
}

function isCovered(
  allowed: readonly string[],
  ask: { readonly kind: string; readonly value: string },
  compile: CompileEntry,
): boolean {
  const fold = ask.kind === 'action' ? asciiLower : (same: string): string => same;
  const asked = parseTemplate(fold(ask.value));
  if (!asked.ok) return false;
  // Each pattern must lie within one entry: two entries together are never tried, so the answer stays easy to check.
  return allowed.some((entry) => {
    const outer = compile(fold(entry));
    return outer !== undefined && covers(outer, asked.value);
  });
}

/** A ceiling names no claims; an entry that does, or that cannot be read, covers nothing. */
export function ceilingGlob(text: string): Glob | undefined {
  const template = parseTemplate(text);
  return template.ok ? asGlob(template.value) : undefined;
}
