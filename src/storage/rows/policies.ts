// What every engine forgets of shared policies.
import { KEPT_POLICY_SETS } from '../../sts/store.ts';

/** In this order: files of sets that were active too long ago, then what no set has any more. That a set was active stays. */
export const FORGET_POLICIES = [
  `UPDATE policy_set SET has_files = 0 WHERE has_files = 1 AND id NOT IN (
    SELECT id FROM policy_set ORDER BY version DESC LIMIT ${KEPT_POLICY_SETS})`,
  'DELETE FROM policy_set_file WHERE set_id IN (SELECT id FROM policy_set WHERE has_files = 0)',
  'DELETE FROM policy_blob WHERE digest NOT IN (SELECT digest FROM policy_set_file)',
] as const;
