// Loses the acknowledgement of commits on the way from PostgreSQL: the database has the transaction, and whoever wrote it never hears.
import type { Watcher } from './link.ts';

/** Of its wire protocol only this much is read: every message from the server is a letter, its length, its content. */
const HEADER_BYTES = 5;
const COMMAND_COMPLETE = 'C'.charCodeAt(0);
const COMMIT = 'COMMIT\0';

/** For connections without TLS. Where `isLost` says so of a commit, its connection is cut instead of told. */
export const losingCommits = (isLost: () => boolean): (() => Watcher) => {
  return () => {
    let read = Buffer.alloc(0);
    return (chunk) => {
      read = Buffer.concat([read, chunk]);
      let lost = false;
      while (read.length >= HEADER_BYTES) {
        const end = 1 + read.readUInt32BE(1);
        if (read.length < end) break;
        const isCommit = read[0] === COMMAND_COMPLETE && read.toString('latin1', HEADER_BYTES, end) === COMMIT;
        if (isCommit && isLost()) lost = true;
        read = read.subarray(end);
      }
      return lost ? 'cut' : chunk;
    };
  };
};
