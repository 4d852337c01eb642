// NAME@ID, the short form in which people give an owner or a pipeline.
import type { NamedId } from '../../base/identity/facts.ts';

/** The two parts of `acme@42`, split at the last `@`; undefined when either is missing. */
export function parseNamedId(written: string): NamedId | undefined {
  const separator = written.lastIndexOf('@');
  const name = written.slice(0, Math.max(separator, 0));
  const id = written.slice(separator + 1);
  return name === '' || id === '' ? undefined : { name, id };
}
