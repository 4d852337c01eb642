// The witness of a server's database as a file of its own folder, replaced in one step.
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WitnessPort } from '../../base/audit/store-watch.ts';
import { decodeWitness, encodeWitness } from '../../base/audit/witness.ts';
import { JobpassError } from '../../base/core/errors.ts';
import type { Log } from '../../base/ports/log.ts';

/** The file at `path`. One that cannot be read whole counts as none, and is said to be so. */
export function witnessFile(path: string, log: Log): WitnessPort {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
        throw unusable(path, cause);
      });
      if (text === undefined) return undefined;
      const witness = decodeWitness(text);
      if (witness === undefined) log.error({ witness: path }, 'the witness is damaged, so it is none');
      return witness;
    },
    write: (witness) =>
      replace(path, encodeWitness(witness)).catch((cause: unknown) => {
        throw unusable(path, cause);
      }),
  };
}

async function replace(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const next = `${path}.next`;
  const { O_CREAT, O_TRUNC, O_WRONLY } = constants;
  const file = await open(next, O_CREAT | O_TRUNC | O_WRONLY, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  const held = await open(folder, 'r');
  await held.sync().finally(() => held.close());
}

const unusable = (path: string, cause: unknown): JobpassError =>
  new JobpassError('ERR_WITNESS_UNUSABLE', `the witness ${path} cannot be read or written`, {
    cause,
    hint: 'its folder must be yours, and survive restarts; `witness` names another',
  });
