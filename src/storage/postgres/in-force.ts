// "In force" in PostgreSQL's SQL. Without the fence it would join whole tables of sessions, ends and epochs for the one page that is asked for.
import { endOffspring, inForce as inForceOf, type PartingScope } from '../rows/in-force.ts';

/** As in `rows`, on rows of `session`: no end of its own, no epoch. Each row is looked up by itself. */
export const inForce = (): string => inForceOf('OFFSET 0');

/** As in `rows`; $1 is the scope's name. */
export const endOffspringOf = (scope: PartingScope['scope']): string => endOffspring(scope).replaceAll('$name', '$1');
