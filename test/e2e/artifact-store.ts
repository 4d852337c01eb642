// The example artifact store as a process of its own: something to guard over HTTP.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../examples/artifact-store/server.mjs', import.meta.url));

export interface ArtifactStore {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it over `folder` on a free port. */
export async function startArtifactStore(folder: string): Promise<ArtifactStore> {
  const store = spawn(process.execPath, [PROGRAM, '--listen', '127.0.0.1:0', '--folder', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(store, 'exit');
  const lines = createInterface({ input: store.stdout });
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    ended.then(() => Promise.reject(new Error('the artifact store did not start'))),
  ]);
  return {
    url,
    async close() {
      store.kill('SIGTERM');
      await ended;
    },
  };
}
