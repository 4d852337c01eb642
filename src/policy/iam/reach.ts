// Which statements of a session policy can come to anything beside a role's permissions. Deciding requests is authorize.ts's
// business: what is kept here may still be refused there.
import type { Statement } from '../../base/core/permissions.ts';
import type { Result } from '../../base/core/result.ts';
import { parseAction, parseResource } from './statements.ts';
import { ANY, fillIn, type Glob, matchesGlob, STAR, type Template, type TemplateValues } from './template.ts';

/** A pair of action and resource patterns. */
interface Reach {
  readonly actions: readonly Glob[];
  readonly resources: readonly Glob[];
}

/**
 * The statements of `policy` that may allow something which `permissions` allow too, with these values filled in. What certainly
 * cannot is left out; a doubt keeps it. Precondition: all of them allow, none has variables, and all compile.
 */
export function withinReach(
  policy: readonly Statement[],
  permissions: readonly Statement[],
  values: TemplateValues,
): readonly Statement[] {
  const allowed = permissions.filter(({ effect }) => effect === 'allow').map((statement) => reachOf(statement, values));
  return policy.filter((statement) => {
    const asked = reachOf(statement, values);
    return allowed.some((reach) => anyMeet(asked.actions, reach.actions) && anyMeet(asked.resources, reach.resources));
  });
}

const reachOf = ({ actions, resources }: Statement, values: TemplateValues): Reach => ({
  actions: actions.flatMap((text) => filled(parseAction(text), values)),
  resources: resources.flatMap((text) => filled(parseResource(text), values)),
});

/** A pattern whose values are missing matches nothing. */
function filled(template: Result<Template, string>, values: TemplateValues): readonly Glob[] {
  const glob = template.ok ? fillIn(template.value, values) : undefined;
  return glob === undefined ? [] : [glob];
}

const anyMeet = (some: readonly Glob[], others: readonly Glob[]): boolean =>
  some.some((one) => others.some((other) => mayMeet(one, other)));

/** Whether some text may match both. Exact when one of them is plain; else a no is certain and a yes is not. */
function mayMeet(a: Glob, b: Glob): boolean {
  if (isPlain(a)) return matchesGlob(b, textOf(a));
  if (isPlain(b)) return matchesGlob(a, textOf(b));
  const length = Math.min(fixedLength(a), fixedLength(b));
  return a.slice(0, length).every((symbol, at) => symbol === b[at]);
}

const isPlain = (glob: Glob): boolean => fixedLength(glob) === glob.length;

/** How many characters stand before the first wildcard. */
function fixedLength(glob: Glob): number {
  const first = glob.findIndex((symbol) => symbol === STAR || symbol === ANY);
  return first === -1 ? glob.length : first;
}

const textOf = (plain: Glob): string => plain.map((code) => String.fromCodePoint(code)).join('');
