// Where PostgreSQL's programs are, and who may run them: it refuses to run as root. Test code.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireEmbeddedPostgres, requirePostgres15 } from '../clients.ts';

/** The oldest and the newest that the program is proved with. */
export const POSTGRES_VERSIONS = [15, 18] as const;
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The folder of the programs of `version`; undefined, in sight of everybody, where that one is not installed. */
export const postgresPrograms = (version: PostgresVersion): string | undefined =>
  version === 15 ? requirePostgres15() : requireEmbeddedPostgres();

/** Whom to run it as when this process is root: its own user, or nobody. */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const find = (name: string) => users.find((user) => user.startsWith(`${name}:`));
  const [, , uid, gid] = (find('postgres') ?? find('nobody') ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

/** The programs themselves, or a copy in `folder` when they lie where that account may not go. */
export function reachablePrograms(programs: string, folder: string): string {
  const { status } = spawnSync(join(programs, 'postgres'), ['--version'], { ...postgresAccount(), cwd: '/' });
  if (status === 0) return programs;
  cpSync(join(programs, '..'), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native', 'bin');
}
