// Owns what the check of audit chains can find, as data.

/**
 * - `edited`: a record is not what was written at its place: it was changed, or moved there.
 * - `removed`: records between others, or a beginning that no signed checkpoint says was pruned.
 * - `reordered`: a record stands where its number does not belong.
 * - `cut`: the end of a chain is gone.
 * - `rewritten`: a chain is whole in itself and not the one that a checkpoint, or its own writer, saw.
 * - `added`: records that the account of the writers does not know.
 * - `index`: a column contradicts the record.
 * - `checkpoint`: a checkpoint is not the server's.
 */
export type Flaw = 'edited' | 'removed' | 'reordered' | 'cut' | 'rewritten' | 'added' | 'index' | 'checkpoint';

/** One thing that is not as it was written. */
export interface Finding {
  readonly flaw: Flaw;
  /** Whose chain; null for a checkpoint. */
  readonly writer: string | null;
  /** The first record concerned. */
  readonly sequence: number | null;
  /** Its id, when it is there. */
  readonly id: string | null;
  readonly detail: string;
}

/** What a check of the whole trail came to. */
export interface AuditReport {
  /** The first MAX_FINDINGS. */
  readonly findings: readonly Finding[];
  /** How many there are in all. */
  readonly found: number;
  readonly records: number;
  readonly writers: number;
  /** Records from before there was a chain: nothing proves them. */
  readonly unchained: number;
  /** Records after the last checkpoint of their chain: whoever can write the database could take them from the end. */
  readonly uncovered: number;
}

const MAX_FINDINGS = 1000;

/** Collects findings without end. */
export class AuditFindings {
  readonly #findings: Finding[] = [];
  #found = 0;

  add(finding: Finding): void {
    this.#found += 1;
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push(finding);
  }

  list(): Pick<AuditReport, 'findings' | 'found'> {
    return { findings: this.#findings, found: this.#found };
  }
}
