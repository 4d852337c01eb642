// The certificates that an https server shows, for people who register their thumbprints. It sends no request.
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { NetworkScope } from '../../base/ports/fetch.ts';
import { checkedAddresses, pinnedLookup, type ResolveName, systemResolve } from './guarded-fetch.ts';
import { type FetchError, fail } from './response.ts';

const HTTPS_PORT = 443;
/** Longer chains are nobody's; a loop in one ends here too. */
const MAX_CHAIN = 10;

/** One certificate of a chain. */
export interface ShownCertificate {
  /** The common name, or the organisation where there is none. */
  readonly name: string;
  /** Hex, lower case. */
  readonly sha1: string;
  /** The root: servers need not send it. */
  readonly selfSigned: boolean;
}

export interface ServerCertificatesOptions {
  readonly network: NetworkScope;
  readonly timeoutMs: number;
  readonly resolve?: ResolveName;
}

/**
 * The verified chain of the server of `url` (https), its own certificate first. Only addresses of `network` are connected to,
 * as by the guarded fetch. A chain that this machine does not trust is a failure.
 */
export async function serverCertificates(
  url: URL,
  options: ServerCertificatesOptions,
): Promise<Result<readonly ShownCertificate[], FetchError>> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = await checkedAddresses(host, options.network, options.resolve ?? systemResolve);
  if (!addresses.ok) return addresses;
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: url.port === '' ? HTTPS_PORT : Number(url.port),
      // RFC 6066 §3: a literal address is no server name.
      servername: isIP(host) === 0 ? host : '',
      lookup: pinnedLookup(addresses.value),
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
    });
    const settle = (result: Result<readonly ShownCertificate[], FetchError>): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(options.timeoutMs, () => settle(err(fail('timeout', `${url.host}: no handshake in time`))));
    socket.once('error', (error) => settle(err(fail('unreachable', `${url.host}: ${codeOf(error)}`))));
    socket.once('secureConnect', () => settle(ok(chainOf(socket))));
  });
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.name);

function chainOf(socket: TLSSocket): readonly ShownCertificate[] {
  const chain: ShownCertificate[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.fingerprint !== undefined && chain.length < MAX_CHAIN) {
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    const selfSigned: boolean = issuer?.fingerprint === certificate.fingerprint;
    const sha1 = certificate.fingerprint.replaceAll(':', '').toLowerCase();
    chain.push({ name: nameOf(certificate), sha1, selfSigned });
    certificate = selfSigned ? undefined : issuer;
  }
  return chain;
}

function nameOf({ subject }: DetailedPeerCertificate): string {
  const name: string | string[] | undefined = subject.CN ?? subject.O;
  return Array.isArray(name) ? name.join(', ') : (name ?? 'without a name');
}
