// The key-encryption key of a server, from the text its plan holds.
import { JobpassError } from '../../base/core/errors.ts';
import type { Secret } from '../../base/core/secret.ts';
import { type KeyEncryptionKey, parseKek } from '../../keys/kek.ts';
import type { StoragePlan } from '../config/plan.ts';

/** Throws ERR_KEY_UNREADABLE when the text is not a key; the configuration has checked that it is. */
export function kekOf(text: Secret): KeyEncryptionKey {
  const key = parseKek(text.reveal());
  if (!key.ok)
    throw new JobpassError('ERR_KEY_UNREADABLE', `the key-encryption key is unusable: ${key.error.problem}`, {
      hint: key.error.hint,
    });
  return key.value;
}

/** The key of a server that runs: while it changes, it opens what the one before sealed. Throws as `kekOf` does. */
export function runningKekOf(plan: Pick<StoragePlan, 'encryptionKey' | 'encryptionKeyBefore'>): KeyEncryptionKey {
  const key = kekOf(plan.encryptionKey);
  return plan.encryptionKeyBefore === null ? key : key.withBefore(kekOf(plan.encryptionKeyBefore));
}
