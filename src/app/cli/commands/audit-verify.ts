// `jobpass audit verify`: whether the trail of a running server, or an exported one, is as it was written.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { CheckpointKey } from '../../../base/audit/own-checkpoints.ts';
import { parseJsonObject } from '../../../base/json/parse.ts';
import { checkTrail } from '../audit/check.ts';
import { auditCredential, SERVER_HELP, SERVER_OPTION } from '../audit/credential.ts';
import { fileTrail } from '../audit/export-file.ts';
import { readKeys, serverTrail } from '../audit/server-trail.ts';
import { reportLines } from '../audit/show.ts';
import type { Trail } from '../audit/trail.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';
import { paintFor } from '../paint.ts';

export const auditVerify: Command = {
  usage: 'jobpass audit verify [--anchor FILE] [--issuer] [--file EXPORT --jwks FILE] [--json]',
  options: {
    ...SERVER_OPTION,
    anchor: { type: 'string' },
    file: { type: 'string' },
    jwks: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    anchor: 'checkpoints kept outside of the database, a line each',
    ...SERVER_HELP,
    file: 'check what jobpass audit export wrote, without a server',
    jwks: 'the server’s keys, from jobpass audit keys (or its JWKS, which has the living ones)',
    json: 'print JSON on stdout',
  },
  async run(surroundings) {
    const { env, options, out } = surroundings;
    const anchored = anchorLines(surroundings);
    const { keys, trail } = await trailOf(surroundings);
    const checked = await checkTrail(trail, { keys, anchored });
    if (options.json === true) out(JSON.stringify(checked, undefined, 2));
    else for (const line of reportLines(checked, paintFor(process.stdout.isTTY === true, env))) out(line);
    return checked.found === 0 ? EXIT.ok : EXIT.failed;
  },
};

/** Where the trail comes from, and the keys that it is checked with: never from the trail itself. */
async function trailOf(surroundings: Surroundings): Promise<{
  readonly trail: Trail;
  readonly keys: readonly CheckpointKey[];
}> {
  const { folder, options } = surroundings;
  const file = text(options.file);
  const jwks = text(options.jwks);
  if (file === undefined && jwks === undefined) {
    const credential = auditCredential(surroundings);
    return { trail: await serverTrail(credential), keys: await readKeys(credential) };
  }
  if (file === undefined || jwks === undefined)
    throw new CommandFailure('--file and --jwks go together', { exitCode: EXIT.usage, hint: auditVerify.usage });
  return { trail: await fileTrail(resolve(folder, file)), keys: keysIn(resolve(folder, jwks)) };
}

const keySet = z.looseObject({ keys: z.array(z.record(z.string(), z.json())) });

function keysIn(path: string): readonly CheckpointKey[] {
  const json = parseJsonObject(readText(path));
  const set = json.ok ? keySet.safeParse(json.value) : undefined;
  if (set?.success !== true)
    throw new CommandFailure(`${path} is no key set`, { exitCode: EXIT.usage, hint: 'jobpass audit keys > FILE' });
  return set.data.keys.map(({ state, ...jwk }) => ({ state: typeof state === 'string' ? state : 'active', jwk }));
}

function anchorLines({ folder, options }: Surroundings): readonly string[] {
  const anchor = text(options.anchor);
  if (anchor === undefined) return [];
  const lines = readText(resolve(folder, anchor)).toString('utf8').split('\n');
  return lines.filter((line) => line.trim() !== '');
}

function readText(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CommandFailure(`${path} cannot be read`, {
      exitCode: EXIT.usage,
      hint: cause instanceof Error && 'code' in cause ? String(cause.code) : undefined,
    });
  }
}
