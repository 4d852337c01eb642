// Reads and checks what a listener serves https with.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { TlsIdentity } from './plan.ts';
import type { PlanContext } from './plan-context.ts';
import type { DocumentPath } from './problem-list.ts';
import { resolveSecret, type SecretPlaces } from './secret-reference.ts';

export interface TlsSection {
  readonly certificate: string;
  readonly key: string;
}

/** The identity of a `tls` section at `path`; null without one, or when a problem was noted. */
export function planTls(
  section: TlsSection | undefined,
  path: DocumentPath,
  { places, problems }: PlanContext,
): TlsIdentity | null {
  if (section === undefined) return null;
  const identity = readIdentity(section, places);
  if (identity.ok) return identity.value;
  const { hint, member, message } = identity.error;
  problems.add(member === null ? path : [...path, member], message, hint);
  return null;
}

interface TlsProblem {
  /** Of the section; null: both. */
  readonly member: 'certificate' | 'key' | null;
  readonly message: string;
  readonly hint?: string;
}

function readIdentity(section: TlsSection, places: SecretPlaces): Result<TlsIdentity, TlsProblem> {
  const file = resolve(places.folder, section.certificate.slice('file:'.length));
  const certificate = readText(file);
  if (certificate === undefined) {
    const message = `${section.certificate} cannot be read`;
    return err({ member: 'certificate', message, hint: 'a PEM file with the certificate' });
  }
  const key = resolveSecret(section.key, places);
  if (!key.ok) return err({ member: 'key', ...key.error });
  const reread = (): Result<TlsIdentity, string> => {
    const again = readIdentity(section, places);
    return again.ok ? again : err(again.error.message);
  };
  const identity = { certificate, key: key.value, reread };
  if (isUsable(identity)) return ok(identity);
  const message = 'certificate and key are no PEM, or do not belong together';
  return err({ member: null, message, hint: 'openssl x509 -in FILE -noout -subject' });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** OpenSSL's own word is not repeated: it may quote the file. */
function isUsable({ certificate, key }: TlsIdentity): boolean {
  try {
    createSecureContext({ cert: certificate, key: key.reveal() });
    return true;
  } catch {
    return false;
  }
}
