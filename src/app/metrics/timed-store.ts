// Measures the writes of a store from outside, whichever engine it is.

/** What is measured, and who is told. */
interface Timing<Operation extends string> {
  readonly operations: readonly Operation[];
  readonly onDone: (operation: Operation, tookMs: number, failed: boolean) => void;
}

/** The store, its `operations` measured. */
export function timedStore<Store extends object>(
  store: Store,
  { onDone, operations }: Timing<keyof Store & string>,
): Store {
  const members = new Map<PropertyKey, unknown>();
  for (const operation of operations) {
    const write: unknown = store[operation];
    if (typeof write !== 'function') continue;
    members.set(operation, async (...args: unknown[]): Promise<unknown> => {
      const startedAt = performance.now();
      let failed = true;
      try {
        const done: unknown = await write.apply(store, args);
        failed = false;
        return done;
      } finally {
        onDone(operation, performance.now() - startedAt, failed);
      }
    });
  }
  return new Proxy(store, {
    get(target, name): unknown {
      const known = members.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, name, target);
      const bound: unknown = typeof member === 'function' ? member.bind(target) : member;
      if (typeof member === 'function') members.set(name, bound);
      return bound;
    },
  });
}
