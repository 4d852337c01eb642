// The file outside the database that checkpoints are appended to, a line each.
import { open } from 'node:fs/promises';
import type { Anchor } from '../../base/audit/upkeep.ts';

/** Holds no secret; that nobody may write to it but the server is what it is for. */
const OWNER_ONLY = 0o600;

/** Appends to `path`, making it when it is missing; its folder must be there. Durable when it resolves. */
export const anchorFile = (path: string): Anchor => ({
  append: async (checkpoints) => {
    const file = await open(path, 'a', OWNER_ONLY);
    try {
      await file.appendFile(checkpoints.map(({ jws }) => `${jws}\n`).join(''));
      await file.sync();
    } finally {
      await file.close();
    }
  },
});
