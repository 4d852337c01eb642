// The policies folder as the STS reads it: <tenant>/<role>.yaml, watched for changes. Test files beside the roles are no roles.
import { watch } from 'node:fs';
import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { JobpassError } from '../../base/core/errors.ts';
import { MAX_POLICY_BYTES } from '../../base/core/limits.ts';
import type { PolicyFile, PolicySource } from '../../sts/policy-source.ts';

/** Several events of one save arrive together; they are one change. */
const SETTLE_MS = 50;
/** Where the operating system's notices get lost (network folders), changes are found by looking. */
const RESCAN_MS = 30_000;

/** True for a role file's name: `publish-web.yaml`, not `publish-web.test.yaml`. */
export const isRoleFile = (name: string): boolean => name.endsWith('.yaml') && !name.endsWith('.test.yaml');

/** The role files below `folder`, one level per tenant. Throws ERR_POLICIES_UNREADABLE when the folder cannot be listed. */
export function policyFolder(folder: string): PolicySource {
  return {
    list: () => listRoleFiles(folder),
    read: (path) => readNamed(folder, path),
    watch(onChange) {
      let settling: NodeJS.Timeout | undefined;
      const changed = (): void => {
        clearTimeout(settling);
        settling = setTimeout(onChange, SETTLE_MS);
      };
      const watcher = watch(folder, { recursive: true }, changed);
      watcher.on('error', () => watcher.close());
      const rescan = setInterval(onChange, RESCAN_MS);
      return () => {
        clearTimeout(settling);
        clearInterval(rescan);
        watcher.close();
      };
    },
  };
}

/** Files that are read at once: enough to keep a disk busy, and few enough to hold in memory. */
const READ_AT_ONCE = 32;

async function listRoleFiles(folder: string): Promise<readonly PolicyFile[]> {
  try {
    const paths: string[] = [];
    for await (const tenant of await opendir(folder)) {
      if (!tenant.isDirectory()) continue;
      // A folder of 100,000 entries is walked in parts: one list of them all would hold up requests.
      for await (const entry of await opendir(join(folder, tenant.name), { bufferSize: 256 }))
        if (entry.isFile() && isRoleFile(entry.name)) paths.push(`${tenant.name}/${entry.name}`);
    }
    const files: PolicyFile[] = [];
    for (let at = 0; at < paths.length; at += READ_AT_ONCE) {
      const some = paths.slice(at, at + READ_AT_ONCE);
      files.push(
        ...(await Promise.all(some.map(async (path) => ({ path, bytes: await readBounded(join(folder, path)) })))),
      );
    }
    return files;
  } catch (cause) {
    throw new JobpassError('ERR_POLICIES_UNREADABLE', `the policies folder ${folder} cannot be read`, {
      cause,
      hint: 'sts.policies names it; jobpass init makes one',
    });
  }
}

/** Undefined for what is not there, no plain file, or reached by a link: a tenant's folder ends at itself. */
async function readNamed(folder: string, path: string): Promise<Uint8Array | undefined> {
  const target = join(folder, path);
  try {
    if ((await realpath(target)) !== `${await realpath(folder)}/${path}`) return undefined;
    return (await stat(target)).isFile() ? await readBounded(target) : undefined;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw cause;
  }
}

/** At most one byte more than a role may have: the reader then refuses it without the rest in memory. */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // One byte more than it should be, so that a file that grew meanwhile is not taken for whole.
    const expected = await readUpTo(file, Math.min(size, MAX_POLICY_BYTES) + 1);
    return expected.length <= size ? expected : await readUpTo(file, MAX_POLICY_BYTES + 1);
  } finally {
    await file.close();
  }
}

async function readUpTo(file: FileHandle, bytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}
