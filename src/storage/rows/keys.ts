// What a row of the key rings' tables means, whatever the engine. Private parts are seen only sealed.
import { KEY_STATES, type StoredKey } from '../../keys/store.ts';
import { bytes, integer, nullableJson, oneOf, type Row, text } from './row.ts';
import { jsonObject } from './shapes.ts';

/** A key of a ring. */
export const decodeKey = (row: Row): StoredKey => ({
  kid: text(row, 'kid'),
  ring: text(row, 'ring'),
  algorithm: text(row, 'algorithm'),
  state: oneOf(row, 'state', KEY_STATES),
  stateSince: integer(row, 'state_since'),
  createdAt: integer(row, 'created_at'),
  publicJwk: nullableJson(row, 'public_jwk', jsonObject),
  sealed: bytes(row, 'sealed'),
});

/** A key’s column values. */
export const encodeKey = ({ publicJwk, ...key }: StoredKey) => ({
  ...key,
  publicJwk: publicJwk === null ? null : JSON.stringify(publicJwk),
});
