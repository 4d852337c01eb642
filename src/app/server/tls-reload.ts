// Keeps a listener's certificate up to date without a restart: new handshakes get the new one, connections that stand keep theirs. A
// pair that cannot be used changes nothing.
import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { Log } from '../../base/ports/log.ts';
import type { TlsIdentity } from '../config/plan.ts';
import { secureOptions } from './listener.ts';

/** Both files are small, and renewals are rare. */
const LOOK_MS = 5000;

/** A listener’s certificate and key, kept up to date. */
export interface KeptIdentity {
  /** Reads both again now. */
  reload(): void;
  /** When the certificate that is shown expires. */
  expiresAt(): EpochSeconds;
  close(): void;
}

/** Looks at where `identity` was read from, every few seconds and on `reload`. Null for plain http, or for one that was not read. */
export function keepIdentity(server: Server, identity: TlsIdentity | null, log: Log): KeptIdentity | null {
  const reread = identity?.reread;
  if (identity === null || reread === undefined || !(server instanceof TlsServer)) return null;
  let shown = identity;
  let told: string | null = null;
  const reload = (): void => {
    const found = reread();
    if (!found.ok) {
      // Said when it changes, not with every look.
      if (told !== found.error) log.error({ problem: found.error }, 'the certificate stays the one it was');
      told = found.error;
      return;
    }
    told = null;
    if (isSame(found.value, shown)) return;
    server.setSecureContext(secureOptions(found.value));
    shown = found.value;
    log.info({ expires: expiryOf(shown).toISOString() }, 'a new certificate is shown from now on');
  };
  const timer = setInterval(reload, LOOK_MS);
  timer.unref();
  return {
    reload,
    expiresAt: () => Math.floor(expiryOf(shown).getTime() / 1000),
    close: () => clearInterval(timer),
  };
}

const isSame = (one: TlsIdentity, other: TlsIdentity): boolean =>
  one.certificate === other.certificate && one.key.reveal() === other.key.reveal();

const expiryOf = ({ certificate }: TlsIdentity): Date => new X509Certificate(certificate).validToDate;
