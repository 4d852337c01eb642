import { temporaryDisk } from '../../fakes/disk-objects.ts';
import { objectStoreConformance } from './suite.ts';

const MIN_PART_BYTES = 64 * 1024;

objectStoreConformance('disk', {
  minPartBytes: MIN_PART_BYTES,
  has: {
    generations: true,
    checksums: true,
    repeatedCompletion: true,
    partsLeftOut: true,
    removableSegments: true,
    smallParts: true,
    unknownUploads: true,
  },
  create: async () => {
    const disk = temporaryDisk();
    const store = await disk.open({ limits: { minPartBytes: MIN_PART_BYTES } });
    return {
      store,
      bucket: 'alpha',
      otherBucket: 'beta',
      destroy: async () => {
        await store.close();
        disk.remove();
      },
    };
  },
});
