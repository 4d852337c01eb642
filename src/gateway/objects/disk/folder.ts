// Owns the store's folder: its layout, who may read it, and what lies there without belonging to any object.
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { JobpassError } from '../../../base/core/errors.ts';

export const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o002;
const HEX = [...'0123456789abcdef'];
/** Blob names are random: 16 bytes in hex. */
export const BLOB_NAME_BYTES = 16;
const BLOB_NAME = /^[0-9a-f]{32}$/;

/** Where everything lies. Object names never become file names. */
export interface Folder {
  readonly root: string;
  readonly index: string;
  /** The folder that holds a blob: two levels of one hex digit. Precondition: a name that the store drew. */
  shelfOf(blob: string): string;
  pathOf(blob: string): string;
}

function layoutOf(root: string): Folder {
  const shelfOf = (blob: string): string => join(root, 'blobs', blob.slice(0, 1), blob.slice(1, 2));
  return { root, index: join(root, 'index.db'), shelfOf, pathOf: (blob) => join(shelfOf(blob), blob) };
}

const openToOthers = (path: string, hint: string): JobpassError =>
  new JobpassError('ERR_STORE_PERMISSIONS', `${path} is open to other users`, { hint });

/** False: it stood already. The umask can only make it more private. */
function makeFolder(path: string): boolean {
  return mkdirSync(path, { recursive: true, mode: OWNER_ONLY_FOLDER }) !== undefined;
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Every shelf stands before the first object: no put has to make one, or to make one durable. */
function makeShelves(folder: Folder): void {
  const blobs = join(folder.root, 'blobs');
  const parents = [folder.root, blobs, ...HEX.map((first) => join(blobs, first))];
  const made = HEX.flatMap((first) => HEX.map((second) => makeFolder(folder.shelfOf(first + second))));
  if (made.includes(true)) for (const path of parents) syncFolder(path);
}

function makeIndex(path: string): void {
  for (const companion of ['', '-wal']) {
    const found = statSync(`${path}${companion}`, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & GROUP_AND_OTHERS) !== 0) {
      throw openToOthers(`${path}${companion}`, `chmod 600 ${path}${companion}`);
    }
  }
  // `a`: an existing index is never truncated. SQLite gives its log the mode of this file.
  closeSync(openSync(path, 'a', OWNER_ONLY_FILE));
}

/**
 * Makes the folder (0700), its shelves and an empty index file (0600) where they are missing. Throws ERR_STORE_PERMISSIONS
 * when others may write into the folder or read the index, ERR_STORE_UNAVAILABLE when it cannot be made.
 */
export function prepareFolder(path: string): Folder {
  const folder = layoutOf(resolve(path));
  try {
    mkdirSync(folder.root, { recursive: true, mode: OWNER_ONLY_FOLDER });
    if ((statSync(folder.root).mode & WRITABLE_BY_OTHERS) !== 0) {
      throw openToOthers(folder.root, `chmod o-w ${folder.root}`);
    }
    makeIndex(folder.index);
    makeShelves(folder);
  } catch (cause) {
    if (cause instanceof JobpassError) throw cause;
    throw new JobpassError('ERR_STORE_UNAVAILABLE', `the object store ${folder.root} cannot be made`, {
      cause,
      hint: 'check that its folder is yours and the disk is not full',
    });
  }
  return folder;
}

/** The names of all blobs on the shelves, one shelf at a time. What is not named as a blob is not ours to touch. */
export function* blobsOn(folder: Folder): Generator<readonly string[]> {
  for (const first of HEX) {
    for (const second of HEX) {
      yield readdirSync(folder.shelfOf(first + second)).filter((name) => BLOB_NAME.test(name));
    }
  }
}
