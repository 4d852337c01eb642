// IP addresses and CIDR ranges, v4 and v6, as bits. No names are resolved.

/** An address, or the first one of a range; a v4 address mapped into v6 is the v4 address. */
interface Bits {
  readonly width: 32 | 128;
  readonly value: bigint;
}

export interface AddressRange {
  readonly network: Bits;
  readonly prefix: number;
}

const MAPPED_V4 = 0xffffn;

/** An address without a zone or a prefix; undefined for anything else. */
export function parseAddress(text: string): Bits | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(':')) {
    const value = parseV4(text);
    return value === undefined ? undefined : { width: 32, value };
  }
  const value = parseV6(text);
  if (value === undefined) return undefined;
  // ::ffff:192.0.2.1 reaches the same host as 192.0.2.1: a range of either must see both.
  return value >> 32n === MAPPED_V4 ? { width: 32, value: value & 0xffffffffn } : { width: 128, value };
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits beyond the prefix are ignored, as AWS does. */
export function parseRange(text: string): AddressRange | undefined {
  const [address, length, ...others] = text.split('/');
  const network = parseAddress(address ?? '');
  if (network === undefined || others.length > 0) return undefined;
  if (length === undefined) return { network, prefix: network.width };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const isMapped = network.width === 32 && (address ?? '').includes(':');
  const prefix = Number(length) - (isMapped ? 96 : 0);
  return prefix < 0 || prefix > network.width ? undefined : { network, prefix };
}

/** Whether the address lies in the range; an address of the other family never does. */
export function isInRange(address: Bits, range: AddressRange): boolean {
  const shift = BigInt(range.network.width - range.prefix);
  return address.width === range.network.width && address.value >> shift === range.network.value >> shift;
}

/** Four decimal parts without leading zeros: others read those as octal. */
function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  const [head, tail, ...others] = text.split('::');
  if (others.length > 0) return undefined;
  const before = groupsOf(head ?? '', tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  // `::` stands for at least one group (RFC 4291 §2.2).
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array<bigint>(missing).fill(0n), ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

/** The 16-bit groups of one side of `::`; its last may be a v4 address, worth two, when nothing follows. */
function groupsOf(text: string, isLast: boolean): readonly bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const v4 = isLast && index === parts.length - 1 && part.includes('.') ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(v4 >> 16n, v4 & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
