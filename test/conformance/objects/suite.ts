// The conformance suite of the objects port. A new store is done when it passes this unchanged.
import { describe } from 'vitest';
import { copyRequirements } from './copies.ts';
import type { ObjectEngine } from './engine.ts';
import { listRequirements } from './listing.ts';
import { objectRequirements } from './objects.ts';
import { conditionRequirements, rangeRequirements } from './reading.ts';
import { uploadRequirements } from './uploads.ts';

/** Every sentence of src/gateway/objects/store.ts. */
export function objectStoreConformance(name: string, engine: ObjectEngine): void {
  describe(`object store: ${name}`, () => {
    objectRequirements(engine);
    rangeRequirements(engine);
    conditionRequirements(engine);
    copyRequirements(engine);
    listRequirements(engine);
    uploadRequirements(engine);
  });
}
