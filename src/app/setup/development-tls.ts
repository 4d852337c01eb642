// The https identity of the development servers, kept in a private folder and made anew before it ends. For loopback only.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JobpassError } from '../../base/core/errors.ts';
import { Secret } from '../../base/core/secret.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { Random } from '../../base/ports/random.ts';
import { makeLoopbackIdentity } from '../../keys/loopback-identity.ts';
import type { TlsIdentity } from '../config/plan.ts';

/** A server that was started today goes on until tomorrow. */
const LEAST_LEFT_SECONDS = 86_400;

export interface DevelopmentTls {
  readonly identity: TlsIdentity;
  /** The file that clients trust it by. */
  readonly caFile: string;
}

/** The identity in `folder`, or a new one in its place. Throws ERR_FILE_UNWRITABLE. */
export function developmentTls(
  folder: string,
  o: { readonly now: EpochSeconds; readonly random: Random },
): DevelopmentTls {
  const files = {
    ca: join(folder, 'ca.pem'),
    certificate: join(folder, 'server.pem'),
    key: join(folder, 'server.key'),
  };
  const kept = readIdentity(files, o.now);
  if (kept !== undefined) return { identity: kept, caFile: files.ca };
  const { ca, certificate, key } = makeLoopbackIdentity(o);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A start that ends between two of these leaves files that do not belong together, and the next one makes new ones.
    replaceFile(files.key, key.reveal(), 0o600);
    replaceFile(files.certificate, certificate, 0o644);
    replaceFile(files.ca, ca, 0o644);
  } catch (cause) {
    throw new JobpassError('ERR_FILE_UNWRITABLE', `${folder} cannot be written`, { cause });
  }
  return { identity: { certificate, key }, caFile: files.ca };
}

/** Never over an existing file, whose mode would stay. */
function replaceFile(path: string, content: string, mode: number): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, content, { mode, flag: 'wx' });
  renameSync(fresh, path);
}

/** What is there, when all of it belongs together and lasts for a while. */
function readIdentity(
  files: { readonly ca: string; readonly certificate: string; readonly key: string },
  now: EpochSeconds,
): TlsIdentity | undefined {
  try {
    const [ca, certificate, key] = [files.ca, files.certificate, files.key].map((path) => readFileSync(path, 'utf8'));
    if (ca === undefined || certificate === undefined || key === undefined) return undefined;
    const authority = new X509Certificate(ca);
    const server = new X509Certificate(certificate);
    const belongs = server.verify(authority.publicKey) && server.checkPrivateKey(createPrivateKey(key));
    const lasts = Date.parse(server.validTo) / 1000 - now >= LEAST_LEFT_SECONDS;
    return belongs && lasts ? { certificate, key: new Secret(key) } : undefined;
  } catch {
    return undefined;
  }
}
