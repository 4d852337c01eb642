// `jobpass job start|heartbeat|finish`: the controller's three calls, for a CI that is made of scripts.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '../../../base/core/json.ts';
import { parseJsonObject } from '../../../base/json/parse.ts';
import { createController, type StartedJobWithEnv, startJobFrom } from '../../../runner/controller.ts';
import { writePrivateFile } from '../../setup/private-files.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';
import { controllerCredential } from '../controller-option.ts';
import { orFail, transport } from '../runner-command.ts';
import { showTold } from '../show-told.ts';

// Not --env-file: Node itself reads an option of that name wherever it stands in the arguments, and ends when the file is not there.
export const jobStart: Command = {
  usage: 'jobpass job start --facts FILE|- --write-env FILE',
  options: { facts: { type: 'string' }, 'write-env': { type: 'string' } },
  optionHelp: {
    facts: 'JSON as for POST /v1/jobs: idempotency_key, owner, pipeline, ref, …; - reads stdin',
    'write-env': 'where the variables for the job are written, as NAME=value lines of a new file, mode 0600',
  },
  async run(surroundings) {
    const envFile = text(surroundings.options['write-env']);
    if (envFile === undefined)
      throw new CommandFailure('where do the job’s variables go?', { exitCode: EXIT.usage, hint: '--write-env FILE' });
    const facts = readFacts(surroundings);
    const credential = await controllerCredential(surroundings);
    const path = resolve(surroundings.folder, envFile);
    // Before the job starts: a file that cannot be written must not leave a job behind that nobody can use or finish.
    writePrivateFile(path, '');
    const started = await startInto(path, () => startJobFrom(transport, credential, facts));
    surroundings.out(JSON.stringify({ job_id: started.jobId, deadline: started.deadline, env_file: envFile }));
    return EXIT.ok;
  },
};

/** Starts the job and writes its variables as the issuer gave them; the file is gone when that fails. */
async function startInto(
  path: string,
  start: () => ReturnType<typeof startJobFrom>,
): Promise<Pick<StartedJobWithEnv, 'jobId' | 'deadline'>> {
  try {
    const started = orFail(await start());
    const lines = Object.entries(started.env).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(path, lines.join(''));
    return started;
  } catch (cause) {
    rmSync(path, { force: true });
    throw cause;
  }
}

export const jobHeartbeat: Command = {
  usage: 'jobpass job heartbeat JOB_ID',
  options: {},
  optionHelp: {},
  async run(surroundings) {
    const jobId = jobIdOf(surroundings, jobHeartbeat.usage);
    const controller = createController(transport, await controllerCredential(surroundings));
    orFail(await controller.heartbeat(jobId));
    return EXIT.ok;
  },
};

export const jobFinish: Command = {
  usage: 'jobpass job finish JOB_ID [--json]',
  options: { json: { type: 'boolean' } },
  optionHelp: { json: 'print on stdout, as JSON, who hears that the job is over' },
  async run(surroundings) {
    const jobId = jobIdOf(surroundings, jobFinish.usage);
    const controller = createController(transport, await controllerCredential(surroundings));
    const told = orFail(await controller.finish(jobId));
    if (surroundings.options.json === true) surroundings.out(JSON.stringify({ job_id: jobId, told }, undefined, 2));
    else for (const line of showTold(told, Math.floor(Date.now() / 1000))) surroundings.say(line);
    return EXIT.ok;
  },
};

function jobIdOf({ positionals, env }: Surroundings, usage: string): string {
  const jobId = positionals[0] ?? env.JOBPASS_JOB_ID;
  if (jobId === undefined || positionals.length > 1)
    throw new CommandFailure('which job?', { exitCode: EXIT.usage, hint: usage });
  return jobId;
}

function readFacts({ options, folder }: Surroundings): JsonObject {
  const file = text(options.facts);
  if (file === undefined)
    throw new CommandFailure('the facts of the job are missing', {
      exitCode: EXIT.usage,
      hint: '--facts FILE, or --facts - for stdin',
    });
  const facts = parseJsonObject(readBytes(file, folder));
  if (!facts.ok)
    throw new CommandFailure(`${file}, byte ${facts.error.offset}: ${facts.error.problem}`, {
      exitCode: EXIT.usage,
      hint: 'a JSON object as for POST /v1/jobs',
    });
  return facts.value;
}

function readBytes(file: string, folder: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : resolve(folder, file));
  } catch {
    throw new CommandFailure(`${file} cannot be read`, { exitCode: EXIT.usage });
  }
}
