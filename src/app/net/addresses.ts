// Owns which IP addresses a registered peer may be reached at. Pure: it resolves nothing and connects to nothing.
import { isIPv4, isIPv6 } from 'node:net';
import type { NetworkScope } from '../../base/ports/fetch.ts';

/** The 16 bytes of an IPv6 address; an IPv4 address is kept as its mapped form ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
type AddressBytes = readonly number[];

interface Prefix {
  readonly bytes: AddressBytes;
  readonly bits: number;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const MAPPED_BITS = 96;

const parseIPv4 = (text: string): readonly number[] => text.split('.').map(Number);

const groupBytes = (group: string): readonly number[] => {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
};

const partBytes = (part: string): readonly number[] =>
  part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? parseIPv4(group) : groupBytes(group)));

/** The bytes of an address in text form; undefined for anything else, also for one with a zone (`fe80::1%eth0`). */
function parseAddress(text: string): AddressBytes | undefined {
  if (isIPv4(text)) return [...MAPPED, ...parseIPv4(text)];
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const front = partBytes(head);
  if (tail === undefined) return front;
  const back = partBytes(tail);
  return [...front, ...Array.from({ length: 16 - front.length - back.length }, () => 0), ...back];
}

function prefix(text: string): Prefix {
  const [address = '', bits = ''] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new TypeError(`${text} is no prefix`);
  return { bytes, bits: Number(bits) + (isIPv4(address) ? MAPPED_BITS : 0) };
}

function isWithin(address: AddressBytes, { bytes, bits }: Prefix): boolean {
  return address.every((byte, index) => {
    const kept = Math.min(Math.max(bits - index * 8, 0), 8);
    const mask = (0xff << (8 - kept)) & 0xff;
    return (byte & mask) === ((bytes[index] ?? 0) & mask);
  });
}

const prefixes = (...texts: readonly string[]): readonly Prefix[] => texts.map(prefix);

/** Never reached, whatever the scope: these answer with the machine's own credentials or control it. */
const NEVER = prefixes(
  '169.254.0.0/16', // link-local (RFC 3927); instance metadata of AWS, Azure, Google Cloud and others
  'fe80::/10', // link-local (RFC 4291 §2.5.6)
  'fd00:ec2::/32', // AWS's own services beside an instance: metadata ::254, pod identity ::23
  'fd20:ce::/32', // Google Cloud's metadata server
  '100.100.100.200/32', // Alibaba Cloud's metadata server, within the shared address space
  '168.63.129.16/32', // Azure's host agent, a public address that only virtual machines reach
);

const LOOPBACK = prefixes('127.0.0.0/8', '::1/128');

const PRIVATE = prefixes(
  '10.0.0.0/8', // RFC 1918
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10', // shared address space (RFC 6598), used by overlay networks
  'fc00::/7', // unique local addresses (RFC 4193)
);

/** Everything that is handed out as global unicast today: all of IPv4, and 2000::/3 of IPv6. */
const UNICAST = prefixes('0.0.0.0/0', '2000::/3');

/** The parts of it that are not global: the IANA special-purpose registries (RFC 6890 and what came after). */
const SPECIAL = prefixes(
  '0.0.0.0/8',
  '192.0.0.0/24', // protocol assignments; Oracle Cloud's metadata server is 192.0.0.192
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays, retired
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '2001::/23', // protocol assignments; Teredo carries an IPv4 address that would not be checked
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4 carries an IPv4 address that would not be checked
  '3fff::/20', // documentation
);

const isAny = (address: AddressBytes, list: readonly Prefix[]): boolean => list.some((one) => isWithin(address, one));

/**
 * True when `address` may be connected to in `scope`. `public` is global unicast only, `private` RFC 1918, unique local
 * and shared address space, `loopback` this machine. An IPv4-mapped IPv6 address counts as the IPv4 address that it
 * reaches. Anything that is no address is refused.
 */
export function isAddressAllowed(address: string, scope: NetworkScope): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined || isAny(bytes, NEVER)) return false;
  switch (scope) {
    case 'loopback':
      return isAny(bytes, LOOPBACK);
    case 'private':
      return isAny(bytes, PRIVATE);
    case 'public':
      return isAny(bytes, UNICAST) && ![LOOPBACK, PRIVATE, SPECIAL].some((list) => isAny(bytes, list));
  }
}
