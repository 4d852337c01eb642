// Reads and checks what a listener serves https with.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsIdentity } from './plan.ts';
import type { PlanContext } from './plan-context.ts';
import type { DocumentPath } from './problem-list.ts';

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
  const file = resolve(places.folder, section.certificate.slice('file:'.length));
  const certificate = readText(file);
  const key = problems.secret([...path, 'key'], section.key, places);
  if (certificate === undefined) {
    problems.add([...path, 'certificate'], `${section.certificate} cannot be read`, 'a PEM file with the certificate');
    return null;
  }
  if (key.reveal() === '') return null;
  const identity = { certificate, key };
  if (isUsable(identity)) return identity;
  problems.add(
    path,
    'certificate and key are no PEM, or do not belong together',
    'openssl x509 -in FILE -noout -subject',
  );
  return null;
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
