// The clouds' own clients as processes, each in a home of its own, so that neither this machine's settings nor an earlier run's
// credentials reach it.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ClientRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home without settings. */
export class ClientHome {
  readonly folder = mkdtempSync(join(tmpdir(), 'jobpass-client-'));

  /** What a client that lives in it begins with: nothing of this process but the search path. */
  get variables(): Readonly<Record<string, string>> {
    return { PATH: process.env.PATH ?? '', HOME: this.folder };
  }

  /** Writes a file into the home; its path comes back. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end. The server that it asks may live in this process. */
export const runClient = (program: string, args: readonly string[], env: Record<string, string>): Promise<ClientRun> =>
  new Promise((resolve) => {
    execFile(program, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ status, stdout, stderr });
    });
  });
