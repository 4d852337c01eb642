// An object store that writes down what it was asked before it passes it on.
import type { ObjectStore } from '../../src/gateway/objects/store.ts';

export interface SpyStore {
  readonly store: ObjectStore;
  /** The calls so far, by the name of the method. Clear it with `length = 0`. */
  readonly calls: (keyof ObjectStore)[];
}

/** Watches `behind`; `close` goes unrecorded. */
export function spyOn(behind: ObjectStore): SpyStore {
  const calls: (keyof ObjectStore)[] = [];
  const store = new Proxy(behind, {
    get: (target, name: keyof ObjectStore) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        if (name !== 'close') calls.push(name);
        return Reflect.apply(method, target, args);
      };
    },
  });
  return { store, calls };
}
