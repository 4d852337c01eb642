// What every server of one program is started with besides its own plan.
import type { Log } from '../../base/ports/log.ts';
import type { LimitsPlan } from '../config/plan.ts';

export interface Host {
  readonly log: Log;
  readonly limits: LimitsPlan;
}
