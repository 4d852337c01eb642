// `serve --dev`: issuer and STS for `jobpass run` on this machine. Their controller is local, so subjects begin with `local:`.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedId } from '../../base/identity/facts.ts';
import { systemRandom } from '../adapters.ts';
import { loadPlan, readConfig } from '../config/load.ts';
import type { Plan } from '../config/plan.ts';
import { parseNamedId } from '../setup/named-id.ts';
import { writePrivateFile } from '../setup/private-files.ts';
import { writeProject } from '../setup/project.ts';
import { CommandFailure, EXIT, type Surroundings } from './command.ts';
import { problemsFailure } from './config-option.ts';

/** Where `serve --dev` keeps everything of its own, below the working folder. */
const DEV_FOLDER = '.jobpass/dev';
const DEV_ISSUER_URL = 'http://127.0.0.1:8701';

/** The plan of the development servers; the first call in a folder makes their keys and credentials. */
export async function devPlan(surroundings: Surroundings, owners: readonly string[]): Promise<Plan> {
  const folder = join(surroundings.folder, DEV_FOLDER);
  if (!existsSync(join(folder, 'jobpass.yaml'))) await initialise(folder, surroundings.folder, owners.map(ownerOf));
  else if (owners.length > 0)
    throw new CommandFailure(`${DEV_FOLDER} exists with the owners it was made for`, {
      exitCode: EXIT.usage,
      hint: `remove ${DEV_FOLDER} to start afresh, or leave --owner out`,
    });
  const document = readConfig('jobpass.yaml', folder);
  if (!document.ok) throw problemsFailure(document.error);
  const plan = loadPlan(document.value, surroundings.env);
  if (!plan.ok) throw problemsFailure(plan.error);
  return plan.value;
}

async function initialise(folder: string, workingFolder: string, owners: readonly NamedId[]): Promise<void> {
  if (owners.length === 0)
    throw new CommandFailure('whose local jobs should get identities?', {
      exitCode: EXIT.usage,
      hint: 'jobpass serve --dev --owner acme@42, as in your pipeline file',
    });
  const ignored = join(folder, '../.gitignore');
  if (!existsSync(ignored)) writePrivateFile(ignored, '*\n');
  const ownPolicies = existsSync(join(workingFolder, 'policies'));
  if (!ownPolicies) mkdirSync(join(folder, 'policies/main'), { recursive: true, mode: 0o700 });
  await writeProject(
    folder,
    {
      owners,
      issuerUrl: DEV_ISSUER_URL,
      upstream: null,
      local: true,
      policies: ownPolicies ? '../../policies' : './policies',
      credentials: folder,
    },
    systemRandom,
  );
}

function ownerOf(written: string): NamedId {
  const owner = parseNamedId(written);
  if (owner !== undefined) return owner;
  throw new CommandFailure(`--owner ${written} is not NAME@ID`, { exitCode: EXIT.usage, hint: '--owner acme@42' });
}
