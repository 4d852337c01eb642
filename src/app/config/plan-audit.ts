// A server's `audit` section as a plan.
import { resolve } from 'node:path';
import { parseDuration } from '../../base/core/duration.ts';
import type { AuditPlan } from './plan.ts';
import type { PlanContext } from './plan-context.ts';
import type { DocumentPath } from './problem-list.ts';

/** Checkpoints are made each minute; what is younger than a day is no archive. */
const MIN_KEEP_SECONDS = 86_400;

/** The section as the schema has checked it. */
export interface AuditSection {
  readonly anchor?: string | undefined;
  readonly keep?: string | undefined;
}

/** Without a section nothing is anchored and nothing pruned. */
export function planAudit(
  section: AuditSection | undefined,
  path: DocumentPath,
  { places, problems }: PlanContext,
): AuditPlan {
  const keepSeconds = section?.keep === undefined ? null : (parseDuration(section.keep) ?? 0);
  if (keepSeconds !== null && keepSeconds < MIN_KEEP_SECONDS)
    problems.add([...path, 'keep'], 'records of the last day are never pruned', '1d or longer');
  const anchor = section?.anchor?.slice('file:'.length);
  return { anchorPath: anchor === undefined ? null : resolve(places.folder, anchor), keepSeconds };
}
