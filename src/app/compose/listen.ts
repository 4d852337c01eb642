// Starts listeners with clear errors: what is taken, what may not be bound.
import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { JobpassError } from '../../base/core/errors.ts';
import type { ListenAddress } from '../config/plan.ts';

/** Listens on a TCP address. Throws ERR_LISTEN when the port is taken or may not be bound. */
export function listenOn(server: Server, address: ListenAddress, what: string): Promise<void> {
  return listen(
    server,
    { host: address.host, port: address.port },
    `${what} cannot listen on ${address.host}:${address.port}`,
  );
}

/**
 * Listens on a Unix socket that only its owner may use. A socket left over by a dead process is replaced;
 * one that still answers, or a path that is no socket, is not. Throws ERR_LISTEN when it cannot be had.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  const what = `operators cannot be served on ${path}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await removeDeadSocket(path);
  } catch (cause) {
    throw cause instanceof JobpassError ? cause : unusable(what, cause);
  }
  const umask = process.umask(0o177);
  try {
    await listen(server, { path }, what);
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
}

function listen(server: Server, where: { host: string; port: number } | { path: string }, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(unusable(what, cause));
    server.once('error', fail);
    server.listen(where, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop the other program, or choose another port',
  EACCES: 'a port below 1024, and a folder of somebody else, need rights that this user has not',
  EADDRNOTAVAIL: 'this machine has no such address',
  EINVAL: 'the path of a socket has 107 bytes at most',
  EEXIST: 'the socket needs a folder of its own; `admin` names another',
  ENOTDIR: 'the socket needs a folder of its own; `admin` names another',
};

function unusable(what: string, cause: unknown): JobpassError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const hint = HINTS[code];
  const problem = `${what}: ${code === 'EADDRINUSE' ? 'it is taken' : code}`;
  return new JobpassError('ERR_LISTEN', problem, { cause, ...(hint === undefined ? {} : { hint }) });
}

async function removeDeadSocket(path: string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket() || (await isAnswered(path)))
    throw new JobpassError('ERR_LISTEN', `operators cannot be served on ${path}: it is taken`, {
      hint: 'another server may be running with this configuration',
    });
  rmSync(path);
}

/** Whether somebody serves on the socket. */
export const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
