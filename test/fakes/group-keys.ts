// Keys of a group of gateways that a test knows.
import { Secret } from '../../src/base/core/secret.ts';
import { type GroupKey, GroupKeys } from '../../src/keys/group-key.ts';

/** A key of 32 equal bytes. */
const groupKeyOf = (fill: number, id = `group-key-${fill}`): GroupKey => ({
  id,
  key: new Secret<Uint8Array>(new Uint8Array(32).fill(fill)),
});

/** These keys, of which the last is the active one. */
export const groupKeysOf = (...fills: readonly number[]): GroupKeys =>
  new GroupKeys(
    fills.map((fill) => groupKeyOf(fill)),
    `group-key-${fills.at(-1)}`,
  );
