// `jobpass restore`: puts a backup in place of a stopped server's database, so that its next start begins anew.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemRandom } from '../../adapters.ts';
import { backupHeader, checkBackup } from '../../compose/backup-file.ts';
import { markRestored, restoreBackup } from '../../compose/restore.ts';
import {
  BACKUP_HELP,
  BACKUP_OPTIONS,
  type Chosen,
  chosenServer,
  databaseFile,
  KIND_NAMES,
  lockOf,
  madeAt,
  sayingProgress,
  serverOf,
} from '../backup-option.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type Surroundings } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, configPlan } from '../config-option.ts';

export const restore: Command = {
  usage:
    'jobpass restore FILE [--check] [--key-file FILE|--passphrase-file FILE] [--json] [--config FILE]\n       jobpass restore --mark [--issuer|--sts]',
  options: {
    ...BACKUP_OPTIONS,
    'key-file': { type: 'string' },
    check: { type: 'boolean' },
    mark: { type: 'boolean' },
    ...CONFIG_OPTION,
  },
  optionHelp: {
    check: 'read the whole backup and change nothing',
    mark: 'the database was put back by other means: let it begin anew',
    'key-file': 'the key-encryption key that the backup was made under, if it is another by now',
    ...BACKUP_HELP,
    ...CONFIG_HELP,
  },
  async run(surroundings) {
    const [file, ...more] = surroundings.positionals;
    if ((file === undefined) !== (surroundings.options.mark === true) || more.length > 0)
      throw new CommandFailure('which backup?', { exitCode: EXIT.usage, hint: restore.usage });
    return file === undefined ? mark(surroundings) : putBack(surroundings, file);
  },
};

async function mark(surroundings: Surroundings): Promise<ExitCode> {
  const { kind, plan } = chosenServer(surroundings, configPlan(surroundings));
  await markRestored(kind, plan.database);
  surroundings.say(`the ${KIND_NAMES[kind]} begins anew: at once where it runs, else when it starts`);
  return EXIT.ok;
}

async function putBack(surroundings: Surroundings, file: string): Promise<ExitCode> {
  const { folder, options, out, say } = surroundings;
  const from = resolve(folder, file);
  if (!existsSync(from)) throw new CommandFailure(`there is no ${file}`, { exitCode: EXIT.usage });
  const header = await backupHeader(from);
  const chosen = serverOf(surroundings, configPlan(surroundings), header.kind);
  const lock = lockOf(surroundings, chosen);
  const what = { file, kind: header.kind, created_at: header.createdAt, bytes: header.bytes };
  if (options.check === true) {
    await checkBackup(from, lock);
    if (options.json === true) out(JSON.stringify(what));
    say(`${file} is whole: the ${KIND_NAMES[header.kind]}’s database of ${madeAt(header)}`);
    return EXIT.ok;
  }
  const to = databaseFile(chosen);
  const onProgress = sayingProgress(say, 'restoring');
  const aside = await restoreBackup({
    ...chosen.plan,
    kind: header.kind,
    from,
    to,
    lock,
    random: systemRandom,
    onProgress,
  });
  const kept = existsSync(aside) ? aside : null;
  if (options.json === true) out(JSON.stringify({ ...what, database: to, kept }));
  say(
    `${to} is the ${KIND_NAMES[header.kind]}’s database of ${madeAt(header)}${kept === null ? '' : `; the one before is ${kept}`}`,
  );
  say(CONSEQUENCES[chosen.kind]);
  return EXIT.ok;
}

/** What the next start does, for people. */
const CONSEQUENCES: Readonly<Record<Chosen['kind'], string>> = {
  sts: 'when it starts, every session ends and no token issued before is taken; keys that were revoked since are back: jobpass keys list',
  issuer:
    'when it starts, every job that it takes for running ends; keys that were revoked since are back: jobpass keys list',
};
