// `jobpass backup`: an encrypted copy of a server's database, made while the server runs.
import { resolve } from 'node:path';
import { systemClock, systemRandom } from '../../adapters.ts';
import { writeBackup } from '../../compose/backup-file.ts';
import {
  BACKUP_HELP,
  BACKUP_OPTIONS,
  chosenServer,
  databaseFile,
  KIND_NAMES,
  lockOf,
  sayingProgress,
  shownBytes,
} from '../backup-option.ts';
import { type Command, CommandFailure, EXIT, text } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, configPlan } from '../config-option.ts';

export const backup: Command = {
  usage: 'jobpass backup --to FILE [--issuer|--sts] [--passphrase-file FILE] [--json] [--config FILE]',
  options: { to: { type: 'string' }, ...BACKUP_OPTIONS, ...CONFIG_OPTION },
  optionHelp: { to: 'the file to make; it must not be there yet', ...BACKUP_HELP, ...CONFIG_HELP },
  async run(surroundings) {
    const { folder, options, positionals, say } = surroundings;
    const to = text(options.to);
    if (to === undefined || positionals.length > 0)
      throw new CommandFailure('which file?', { exitCode: EXIT.usage, hint: backup.usage });
    const chosen = chosenServer(surroundings, configPlan(surroundings));
    const header = await writeBackup({
      kind: chosen.kind,
      from: databaseFile(chosen),
      to: resolve(folder, to),
      lock: lockOf(surroundings, chosen),
      clock: systemClock,
      random: systemRandom,
      onProgress: sayingProgress(say, 'backing up'),
    });
    const { bytes, createdAt, kind, lockedBy } = header;
    if (options.json === true)
      surroundings.out(JSON.stringify({ file: to, kind, bytes, created_at: createdAt, locked_by: lockedBy }));
    say(`${to} holds the ${KIND_NAMES[kind]}’s database, ${shownBytes(bytes)}, read back and found whole`);
    say(
      lockedBy === 'passphrase'
        ? 'it opens with the passphrase; the server then needs its key-encryption key, which is not in it'
        : 'it opens with the server’s key-encryption key, which is not in it: keep a copy of that elsewhere',
    );
    return EXIT.ok;
  },
};
