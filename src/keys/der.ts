// DER (X.690) as far as certificates are written with it. It only writes; node:crypto and OpenSSL read it back.
import type { EpochSeconds } from '../base/core/time.ts';

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element; contents stay below 64 KiB. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  const { length } = body;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...header), body]);
}

export const sequence = (...contents: readonly Uint8Array[]): Uint8Array => element(TAG.sequence, ...contents);

/** `[number]` around contents that keep their own tag, or that are several. */
export const constructedTag = (number: number, ...contents: readonly Uint8Array[]): Uint8Array =>
  element(0xa0 | number, ...contents);

/** `[number]` in the place of a primitive's own tag. */
export const primitiveTag = (number: number, content: Uint8Array): Uint8Array => element(0x80 | number, content);

/** An object identifier in dotted form; its first two numbers make one byte. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.oid, Uint8Array.of(first * 40 + second, ...rest.flatMap(base128)));
}

/** Seven bits a byte, all but the last one marked. */
function base128(number: number): readonly number[] {
  const bytes = [number & 0x7f];
  for (let left = number >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** RFC 5280 §4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050. */
export function time(seconds: EpochSeconds): Uint8Array {
  const digits = `${new Date(seconds * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return element(isShort ? TAG.utcTime : TAG.generalizedTime, Buffer.from(isShort ? digits.slice(2) : digits));
}

/** RFC 5280 §4.1.2.5: no well-defined end. */
export const noEnd = (): Uint8Array => element(TAG.generalizedTime, Buffer.from('99991231235959Z'));
