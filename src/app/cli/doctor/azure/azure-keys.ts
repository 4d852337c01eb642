// How much of a key set Azure reads (cloud-wire §3.3). Pure.
import { type JsonObject, stringMember } from '../../../../base/core/json.ts';
import type { ParsedJws } from '../../../../base/jwt/jws.ts';
import { type Finding, holds, wrong } from '../finding.ts';

const READ_KEYS = 100;

/** Whether the key that signed is among those that Azure reads. */
export function readKeysFinding(published: readonly JsonObject[], token: ParsedJws): Finding {
  const { kid } = token.header;
  const place = published.findIndex((key) => stringMember(key, 'kid') === kid);
  return published.length > READ_KEYS && (place === -1 || place >= READ_KEYS)
    ? wrong(
        'keys read',
        `Azure reads the first ${READ_KEYS}, and the one that signed is not among them`,
        'publish fewer',
      )
    : holds('keys read', `${published.length} of the first ${READ_KEYS}`);
}
