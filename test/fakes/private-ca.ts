// A certificate authority nobody knows, and a server certificate of it for this machine's loopback names. Made by openssl.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PrivateCa {
  /** PEM files. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const NAMES = 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n';

/** Makes both below `folder`, valid for a day. */
export function makePrivateCa(openssl: string, folder: string): PrivateCa {
  const file = (name: string): string => join(folder, name);
  const run = (...args: string[]): void => void execFileSync(openssl, args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '1', '-subj', '/CN=a private CA');
  run('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(file('names'), NAMES);
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'names'];
  run('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem');
  return { ca: file('ca.pem'), certificate: file('server.pem'), key: file('server.key') };
}
