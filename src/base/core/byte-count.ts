// Amounts of bytes as people write them in configuration.

const UNITS: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** The bytes of `500MB` or `10GiB`: a whole positive number and a unit. Undefined for anything else. */
export function parseByteCount(text: string): number | undefined {
  const [, digits, unit] = /^([1-9][0-9]{0,5})([KMGT]i?B)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  return factor === undefined ? undefined : Number(digits) * factor;
}
