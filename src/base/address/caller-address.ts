// Whose request it is, by the network: the peer of the connection, or whom trusted proxies say they speak for. Anybody else's
// word about addresses is not looked at.
import { type AddressRange, isInRange, parseAddress } from './address.ts';

/** The one header that is read. `Forwarded` (RFC 7239) is not: two readers of two headers would see two callers. */
export const FORWARDED_FOR = 'x-forwarded-for';

/** Longer lists are nobody's. */
const MAX_HOPS = 32;

/** The proxies whose word is taken; empty: nobody's. */
export type TrustedProxies = readonly AddressRange[];

/**
 * The address of the caller: `peer` itself unless it is a trusted proxy. Then the entries that proxies added are read from
 * right to left, as long as those before were added by trusted ones; the first that is no trusted proxy is the caller, and
 * whatever stands further left is the caller's own invention. Empty when a trusted proxy names its caller in a way that is
 * no address: then nobody knows. `forwardedFor`: the header's values in order.
 */
export function callerAddress(
  peer: string | undefined,
  forwardedFor: readonly string[],
  trusted: TrustedProxies,
): string {
  let address = plainAddress(peer ?? '');
  if (trusted.length === 0 || !isTrusted(address, trusted)) return address;
  const hops = forwardedFor.join(',').split(',').slice(-MAX_HOPS);
  for (const hop of hops.reverse()) {
    if (hop.trim() === '' && hops.length === 1) return address;
    address = addressOfHop(hop.trim());
    if (address === '' || !isTrusted(address, trusted)) return address;
  }
  return address;
}

/** Whether the word of this address is taken. */
export function isTrusted(address: string, trusted: TrustedProxies): boolean {
  const bits = trusted.length === 0 ? undefined : parseAddress(plainAddress(address));
  return bits !== undefined && trusted.some((range) => isInRange(bits, range));
}

/**
 * Under what one caller's requests are counted: an IPv4 address alone, an IPv6 address with all of its /64, because that is
 * what one machine gets to choose from (RFC 6177).
 */
export function sourceOf(address: string): string {
  const bits = address.includes(':') ? parseAddress(address) : undefined;
  return bits?.width === 128 ? `${(bits.value >> 64n).toString(16)}::/64` : address;
}

/** An IPv4 caller of a listener for both families shows as `::ffff:192.0.2.7`; policies and logs speak of 192.0.2.7. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=[0-9]+\.)/i, '');

/** Some proxies add the port: `192.0.2.7:4711`, `[2001:db8::1]:4711`. Empty for what is no address. */
function addressOfHop(hop: string): string {
  const [, bracketed, v4] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(hop) ?? [];
  const address = plainAddress(bracketed ?? v4 ?? hop);
  return parseAddress(address) === undefined ? '' : address;
}
