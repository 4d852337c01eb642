// Where chains begin, and what may go from there. A database's own word counts for nothing here: what a server signs as pruned, a
// checkpoint of before must have said, or it has just been seen to be whole and old enough.
import { JobpassError } from '../core/errors.ts';
import type { EpochMs, EpochSeconds } from '../core/time.ts';
import { appendEntry, type ChainHead, type StoredEntry, UNCHAINED } from './chain.ts';
import type { OpenOwn } from './own-checkpoints.ts';
import { isIndexOf } from './record.ts';
import type { AuditStore } from './store.ts';

/** While a server runs, each of its checkpoints says again what the one before did. */
const RECENT_SECONDS = 2 * 86_400;
const CHECKPOINTS_AT_ONCE = 100;
const ENTRIES_AT_ONCE = 500;

/** Remembers which beginnings were proved. */
export class Beginnings {
  readonly #store: Pick<AuditStore, 'listCheckpoints'>;
  readonly #open: OpenOwn;
  readonly #proved = new Set<string>();
  /** Looked for in every checkpoint that there is. */
  #missing: ReadonlySet<string> = new Set();

  constructor(store: Pick<AuditStore, 'listCheckpoints'>, open: OpenOwn) {
    this.#store = store;
    this.#open = open;
  }

  /** Those of `claimed` that a checkpoint says. */
  async proved(claimed: readonly ChainHead[], now: EpochSeconds): Promise<readonly ChainHead[]> {
    await this.#search(claimed, now - RECENT_SECONDS);
    const open = this.#unproved(claimed);
    if (!open.every((head) => this.#missing.has(nameOf(head)))) await this.#search(claimed, -1);
    this.#missing = new Set(this.#unproved(claimed).map(nameOf));
    return claimed.filter((head) => this.#proved.has(nameOf(head)));
  }

  #unproved(claimed: readonly ChainHead[]): readonly ChainHead[] {
    return claimed.filter((head) => !this.#proved.has(nameOf(head)));
  }

  async #search(claimed: readonly ChainHead[], since: EpochSeconds): Promise<void> {
    let after = since;
    for (let open = this.#unproved(claimed); open.length > 0; open = this.#unproved(claimed)) {
      const page = await this.#store.listCheckpoints(after, CHECKPOINTS_AT_ONCE);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.at;
      for (const stored of page) {
        // Signatures are checked of those alone that may say something: there may be very many.
        const text = Buffer.from(stored.jws.split('.')[1] ?? '', 'base64url').toString('latin1');
        if (!open.some(({ hash }) => text.includes(hash))) continue;
        for (const head of (await this.#open(stored))?.pruned ?? []) this.#proved.add(nameOf(head));
      }
    }
  }
}

const nameOf = ({ hash, sequence, writer }: ChainHead): string => `${writer}\n${sequence}\n${hash}`;

/** Throws ERR_AUDIT_UNSOUND unless every record after `from` up to `upTo` is what was written there, and is older than `before`. */
export async function requirePrunable(
  store: Pick<AuditStore, 'listEntries'>,
  { before, from, upTo }: { readonly before: EpochMs; readonly from: ChainHead; readonly upTo: ChainHead },
): Promise<void> {
  let head = from;
  while (head.sequence < upTo.sequence) {
    const limit = Math.min(ENTRIES_AT_ONCE, upTo.sequence - head.sequence);
    const entries = await store.listEntries(upTo.writer, head.sequence, limit);
    if (entries.length === 0) throw unsound(upTo);
    for (const entry of entries) {
      if (!follows(head, entry) || entry.index.at >= before) throw unsound(upTo);
      head = entry;
    }
  }
  if (head.hash !== upTo.hash) throw unsound(upTo);
}

function follows(head: ChainHead, entry: StoredEntry): boolean {
  if (!isIndexOf(entry.body, entry.index)) return false;
  if (entry.writer === UNCHAINED) return true;
  const wanted = appendEntry(head, entry.body);
  return wanted.sequence === entry.sequence && wanted.hash === entry.hash;
}

const unsound = ({ writer }: ChainHead): JobpassError =>
  new JobpassError('ERR_AUDIT_UNSOUND', `the chain ${writer} does not begin as it was written, so nothing is pruned`, {
    hint: 'jobpass audit verify says what is wrong, unless another replica is pruning',
  });
