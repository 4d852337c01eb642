// Owns what is promised to uploads under way, so that together they cannot exceed a bucket's quota. What is stored, the index counts.

/** A bucket as the operator set it. */
export interface BucketSettings {
  readonly name: string;
  /** Bytes of all objects and parts; null: no bound. */
  readonly quotaBytes: number | null;
}

/** Room held for one upload under way. */
export interface Reservation {
  /** Grows to `bytes` in total if there is room; false: it stays as it was. Asking for less than before succeeds. */
  growTo(bytes: number): boolean;
  /** Gives the room back; again does nothing. */
  release(): void;
}

/** The quotas of all buckets. */
export class Quotas {
  readonly #limits: ReadonlyMap<string, number | null>;
  readonly #stored: (bucket: string) => number;
  readonly #reserved = new Map<string, number>();

  /** `stored` tells what the bucket holds at this moment. */
  constructor(buckets: readonly BucketSettings[], stored: (bucket: string) => number) {
    this.#limits = new Map(buckets.map(({ name, quotaBytes }) => [name, quotaBytes]));
    this.#stored = stored;
  }

  /** May the bucket hold `delta` bytes more than it does? To be asked as part of a write whose bytes are reserved. */
  mayStore(bucket: string, delta: number): boolean {
    return delta <= 0 || this.#fits(bucket, delta);
  }

  /** As `mayStore`, and room is left for all uploads under way: for bytes that nothing was reserved for. */
  hasRoomFor(bucket: string, delta: number): boolean {
    return delta <= 0 || this.#fits(bucket, delta + this.#reservedOf(bucket));
  }

  /** `replacedBytes` is what the upload will take the place of: it needs no room twice. */
  reserve(bucket: string, replacedBytes: number): Reservation {
    let held = 0;
    const hold = (bytes: number): void => {
      this.#reserved.set(bucket, this.#reservedOf(bucket) + bytes - held);
      held = bytes;
    };
    return {
      growTo: (bytes) => {
        if (bytes <= held) return true;
        // Strict also when less comes than goes: many replacements at once hold both on the disk for a while.
        if (!this.#fits(bucket, this.#reservedOf(bucket) + bytes - held - replacedBytes)) return false;
        hold(bytes);
        return true;
      },
      release: () => hold(0),
    };
  }

  #reservedOf(bucket: string): number {
    return this.#reserved.get(bucket) ?? 0;
  }

  #fits(bucket: string, more: number): boolean {
    const limit = this.#limits.get(bucket) ?? null;
    return limit === null || this.#stored(bucket) + more <= limit;
  }
}
