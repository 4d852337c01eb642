// The policies folder as the STS reads it: <tenant>/<role>.yaml, watched for changes. Test files beside the roles are no roles.
import { watch } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JobpassError } from '../../base/core/errors.ts';
import { MAX_POLICY_BYTES } from '../../base/core/limits.ts';
import type { PolicySource } from '../../sts/policy-source.ts';

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

async function listRoleFiles(folder: string): Promise<readonly { path: string; bytes: Uint8Array }[]> {
  try {
    const files: { path: string; bytes: Uint8Array }[] = [];
    for (const tenant of (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()))
      for (const entry of await readdir(join(folder, tenant.name), { withFileTypes: true }))
        if (entry.isFile() && isRoleFile(entry.name)) {
          const path = `${tenant.name}/${entry.name}`;
          files.push({ path, bytes: await readBounded(join(folder, path)) });
        }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (cause) {
    throw new JobpassError('ERR_POLICIES_UNREADABLE', `the policies folder ${folder} cannot be read`, {
      cause,
      hint: 'sts.policies names it; jobpass init makes one',
    });
  }
}

/** At most one byte more than a role may have: the reader then refuses it without the rest in memory. */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(MAX_POLICY_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.slice(0, length);
    }
  } finally {
    await file.close();
  }
}
