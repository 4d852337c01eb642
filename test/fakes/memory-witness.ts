// A witness in memory: what is in it outlives the store of a test.
import type { WitnessPort } from '../../src/base/audit/store-watch.ts';
import type { Witness } from '../../src/base/audit/witness.ts';

export class MemoryWitness implements WitnessPort {
  witness: Witness | undefined;
  /** Set: it cannot be written. */
  broken: Error | undefined;

  async read(): Promise<Witness | undefined> {
    return this.witness;
  }

  async write(witness: Witness): Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    this.witness = witness;
  }
}
