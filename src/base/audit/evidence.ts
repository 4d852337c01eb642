// Owns what checkpoints prove of chains, put together: which entry each saw, and which beginnings were pruned.
import { type ChainHead, UNCHAINED } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';

/** An entry that a checkpoint saw. */
export interface Pin extends ChainHead {
  /** When, in epoch seconds. */
  readonly at: number;
}

/** What checkpoints prove, by writer. */
export class Evidence {
  /** Two checkpoints that saw different entries at one place. */
  readonly conflicts: { readonly pin: Pin; readonly other: Pin }[] = [];
  readonly #pins = new Map<string, Map<number, Pin>>();
  readonly #last = new Map<string, Pin>();
  readonly #pruned = new Map<string, ChainHead>();

  /** Precondition: the signature of each holds. */
  constructor(checkpoints: readonly Checkpoint[]) {
    for (const { at, heads, pruned } of checkpoints) {
      for (const head of [...heads, ...pruned]) this.#pin({ ...head, at });
      for (const head of pruned) this.#begin(head);
    }
  }

  /** Every writer that a checkpoint speaks of. */
  writers(): readonly string[] {
    return [...this.#pins.keys()];
  }

  /** What was seen at this place. */
  pinAt(writer: string, sequence: number): Pin | undefined {
    return this.#pins.get(writer)?.get(sequence);
  }

  /** The furthest that was seen of a chain. */
  lastPin(writer: string): Pin | undefined {
    return this.#last.get(writer);
  }

  /** The last entry that a checkpoint says was pruned. */
  prunedUpTo(writer: string): ChainHead | undefined {
    return this.#pruned.get(writer);
  }

  #pin(pin: Pin): void {
    const { sequence, writer } = pin;
    if (writer === UNCHAINED || sequence === 0) return;
    const pins = this.#pins.get(writer) ?? new Map<number, Pin>();
    this.#pins.set(writer, pins);
    const other = pins.get(sequence);
    if (other === undefined) pins.set(sequence, pin);
    else if (other.hash !== pin.hash) this.conflicts.push({ pin, other });
    if (sequence > (this.#last.get(writer)?.sequence ?? 0)) this.#last.set(writer, pin);
  }

  #begin(head: ChainHead): void {
    if (head.sequence > (this.#pruned.get(head.writer)?.sequence ?? 0)) this.#pruned.set(head.writer, head);
  }
}
