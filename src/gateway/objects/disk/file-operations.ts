// The few things that blobs ask of the file system, as one interface, so that a failing disk can be tried.
import { close, fstat, fsync, open, read, unlink, writev } from 'node:fs';
import { JobpassError } from '../../../base/core/errors.ts';

/** Descriptors and paths, as the system knows them. Every call rejects with the system's error. */
export interface FileOperations {
  open(path: string, flags: string, mode: number): Promise<number>;
  sizeOf(fd: number): Promise<number>;
  /** Bytes read into `target` from `position`; 0 at the end of the file. */
  read(fd: number, target: Uint8Array, position: number): Promise<number>;
  /** Appends; may write fewer bytes than given. */
  write(fd: number, chunks: readonly Uint8Array[]): Promise<number>;
  sync(fd: number): Promise<void>;
  close(fd: number): Promise<void>;
  remove(path: string): Promise<void>;
}

type Done<T> = (error: Error | null, value: T) => void;

const asked = <T>(call: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    call((error, value) => (error === null ? resolve(value) : reject(error)));
  });

const told = (call: (done: (error: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    call((error) => (error === null ? resolve() : reject(error)));
  });

/** Node's own. Callbacks rather than FileHandle: half the cost for a small object. */
export const nodeFiles: FileOperations = {
  open: (path, flags, mode) => asked((done) => open(path, flags, mode, done)),
  sizeOf: async (fd) => (await asked<{ readonly size: number }>((done) => fstat(fd, done))).size,
  read: (fd, target, position) => asked((done) => read(fd, target, 0, target.length, position, done)),
  write: (fd, chunks) => asked((done) => writev(fd, [...chunks], done)),
  sync: (fd) => told((done) => fsync(fd, done)),
  close: (fd) => told((done) => close(fd, done)),
  remove: (path) => told((done) => unlink(path, done)),
};

/** ERR_STORE_UNAVAILABLE: what was asked did not happen, or nobody can tell. */
export const unavailable = (what: string, cause?: unknown): JobpassError =>
  new JobpassError('ERR_STORE_UNAVAILABLE', what, cause === undefined ? {} : { cause });

const typed = async <T>(call: Promise<T>): Promise<T> => {
  try {
    return await call;
  } catch (cause) {
    throw unavailable(`the disk refused: ${cause instanceof Error ? cause.message : 'unknown'}`, cause);
  }
};

/** The same operations, whose every failure is ERR_STORE_UNAVAILABLE with its cause. */
export const typedFiles = (files: FileOperations): FileOperations => ({
  open: (path, flags, mode) => typed(files.open(path, flags, mode)),
  sizeOf: (fd) => typed(files.sizeOf(fd)),
  read: (fd, target, position) => typed(files.read(fd, target, position)),
  write: (fd, chunks) => typed(files.write(fd, chunks)),
  sync: (fd) => typed(files.sync(fd)),
  close: (fd) => typed(files.close(fd)),
  remove: (path) => typed(files.remove(path)),
});
