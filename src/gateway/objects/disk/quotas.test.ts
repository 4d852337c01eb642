import { expect, test } from 'vitest';
import { Quotas } from './quotas.ts';

const quotasOf = (quotaBytes: number | null, stored: number) =>
  new Quotas([{ name: 'b', quotaBytes }], (bucket) => (bucket === 'b' ? stored : 0));

test('a bucket without a quota has room for anything', () => {
  const quotas = quotasOf(null, 1e15);
  expect(quotas.reserve('b', 0).growTo(1e15)).toBe(true);
  expect(quotas.mayStore('b', 1e15)).toBe(true);
});

test('a reservation grows to the last byte and no further, and stays as it was', () => {
  const reservation = quotasOf(100, 60).reserve('b', 0);
  expect(reservation.growTo(40)).toBe(true);
  expect(reservation.growTo(41)).toBe(false);
  expect(reservation.growTo(40)).toBe(true);
});

test('reservations count against each other until they are released', () => {
  const quotas = quotasOf(100, 0);
  const first = quotas.reserve('b', 0);
  const second = quotas.reserve('b', 0);
  expect(first.growTo(70)).toBe(true);
  expect(second.growTo(31)).toBe(false);
  first.release();
  first.release();
  expect(second.growTo(100)).toBe(true);
  expect(second.growTo(101)).toBe(false);
});

test('what is replaced needs no room twice, but only once at a time', () => {
  const quotas = quotasOf(100, 60);
  const first = quotas.reserve('b', 60);
  expect(first.growTo(100)).toBe(true);
  expect(quotas.reserve('b', 60).growTo(1)).toBe(false);
});

test('a write that nothing was reserved for leaves room for those under way', () => {
  const quotas = quotasOf(100, 50);
  quotas.reserve('b', 0).growTo(30);
  expect(quotas.hasRoomFor('b', 20)).toBe(true);
  expect(quotas.hasRoomFor('b', 21)).toBe(false);
  expect(quotas.mayStore('b', 50)).toBe(true);
  expect(quotas.mayStore('b', 51)).toBe(false);
});

test('a bucket above its quota may still shrink', () => {
  const quotas = quotasOf(100, 200);
  expect(quotas.mayStore('b', -1)).toBe(true);
  expect(quotas.hasRoomFor('b', 0)).toBe(true);
  expect(quotas.hasRoomFor('b', 1)).toBe(false);
});
