// The controller that `job` and `run` speak as: JOBPASS_CONTROLLER_FILE, else a running `serve --dev`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ControllerCredential, readControllerFile } from '../../runner/controller-file.ts';
import { CommandFailure, EXIT, type Surroundings } from './command.ts';
import { orFail } from './runner-command.ts';

const DEV_CONTROLLER = '.jobpass/dev/controller.json';

/** Ends the command when no controller credential is found or it cannot be used. */
export async function controllerCredential(surroundings: Surroundings): Promise<ControllerCredential> {
  const named = surroundings.env.JOBPASS_CONTROLLER_FILE;
  const path = named ?? join(surroundings.folder, DEV_CONTROLLER);
  if (named === undefined && !existsSync(path))
    throw new CommandFailure('no issuer to start jobs at', {
      exitCode: EXIT.unavailable,
      hint: 'jobpass serve --dev --owner NAME@ID in this folder, or JOBPASS_CONTROLLER_FILE',
    });
  return orFail(await readControllerFile(path));
}
