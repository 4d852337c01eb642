// Turns `clients:` entries into the clients a server checks its callers against.
import type { Client } from '../../base/client-auth/client.ts';
import type { JsonObject } from '../../base/core/json.ts';
import type { DocumentPath, ProblemList } from './problem-list.ts';

interface ClientEntry {
  readonly name: string;
  readonly secrets_sha256?: readonly string[] | undefined;
  readonly jwks?: JsonObject | undefined;
  readonly expires?: string | undefined;
}

/** Clients with their grants; names must be unique and each needs a secret or a key to prove itself with. */
export function planClients<Entry extends ClientEntry, Grant>(
  entries: readonly Entry[],
  path: DocumentPath,
  problems: ProblemList,
  grantOf: (entry: Entry) => Grant,
): readonly Client<Grant>[] {
  return entries.map((entry, index) => {
    const at = [...path, index];
    if (entries.findIndex(({ name }) => name === entry.name) !== index)
      problems.add([...at, 'name'], 'two clients have this name');
    if ((entry.secrets_sha256 ?? []).length === 0 && entry.jwks === undefined)
      problems.add(at, 'the client has nothing to prove itself with', 'secrets_sha256 or jwks');
    return {
      name: entry.name,
      secretHashes: entry.secrets_sha256 ?? [],
      jwks: entry.jwks ?? null,
      expiresAt: entry.expires === undefined ? null : Math.floor(Date.parse(`${entry.expires}T00:00:00Z`) / 1000),
      may: grantOf(entry),
    };
  });
}
