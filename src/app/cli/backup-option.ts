// What `backup` and `restore` share: whose database it is, what locks the file, and how far along the work is.
import { resolve } from 'node:path';
import type { Secret } from '../../base/core/secret.ts';
import { parseKek } from '../../keys/kek.ts';
import type { BackupHeader, BackupKind, BackupLock } from '../backup/format.ts';
import type { Progress } from '../compose/backup-file.ts';
import { kekOf } from '../compose/kek-of.ts';
import type { IssuerPlan, Plan, StsPlan } from '../config/plan.ts';
import { readPrivateFile } from '../config/secret-reference.ts';
import { CommandFailure, EXIT, type Surroundings, text } from './command.ts';
import { formatMoment } from './moment.ts';

/** The options of `backup` and `restore` that pick a server and what locks the file. */
export const BACKUP_OPTIONS = {
  issuer: { type: 'boolean' },
  sts: { type: 'boolean' },
  'passphrase-file': { type: 'string' },
  json: { type: 'boolean' },
} as const;
/** Their help. */
export const BACKUP_HELP = {
  issuer: 'the issuer’s database',
  sts: 'the STS’s database',
  'passphrase-file': 'a file with a passphrase, instead of the key-encryption key',
  json: 'print JSON on stdout',
} as const;

/** A server of the configuration whose database is meant. */
export interface Chosen {
  readonly kind: BackupKind;
  readonly plan: IssuerPlan | StsPlan;
}

/** The server that the options pick, else the only one that the configuration has. Ends the command when that is unclear. */
export function chosenServer({ options }: Surroundings, plan: Plan): Chosen {
  const here = serversOf(plan);
  const picked = here.filter(({ kind }) => options[kind] === true);
  const [chosen, ...more] = options.issuer === true || options.sts === true ? picked : here;
  if (chosen !== undefined && more.length === 0) return chosen;
  const names = here.map(({ kind }) => `--${kind}`).join(' or ');
  throw new CommandFailure(chosen === undefined ? 'the configuration has no such server' : 'whose database?', {
    exitCode: EXIT.usage,
    hint: names || 'a configuration with an issuer or an STS',
  });
}

/** The server whose backup it is. Ends the command when the configuration has none, or the options say another. */
export function serverOf({ options }: Surroundings, plan: Plan, kind: BackupKind): Chosen {
  const chosen = serversOf(plan).find((server) => server.kind === kind);
  const isOther = (options.issuer === true || options.sts === true) && options[kind] !== true;
  if (chosen !== undefined && !isOther) return chosen;
  throw new CommandFailure(`it is a backup of the ${KIND_NAMES[kind]}’s database`, {
    exitCode: EXIT.usage,
    hint: isOther ? `--${kind}` : `--config names the configuration with the ${KIND_NAMES[kind]}`,
  });
}

/** The file that the server's database is. Ends the command when it is none: PostgreSQL has its own tools for this. */
export function databaseFile({ plan }: Chosen): string {
  if (plan.database.kind === 'sqlite') return plan.database.path;
  throw new CommandFailure('this server’s database is a PostgreSQL', {
    exitCode: EXIT.usage,
    hint: 'pg_dump and pg_restore; docs/backup.md tells when jobpass restore --mark is needed',
  });
}

const serversOf = ({ issuer, sts }: Plan): readonly Chosen[] => [
  ...(issuer === null ? [] : [{ kind: 'issuer', plan: issuer } as const]),
  ...(sts === null ? [] : [{ kind: 'sts', plan: sts } as const]),
];

/** What locks a new backup, or opens one: what the options name, else the server's own key. Ends the command when it cannot be read. */
export function lockOf({ folder, options }: Surroundings, { plan }: Chosen): BackupLock {
  const passphraseFile = text(options['passphrase-file']);
  if (passphraseFile !== undefined)
    return {
      lockedBy: 'passphrase',
      passphrase: goodPassphrase(privateFile(folder, passphraseFile), passphraseFile),
    };
  const keyFile = text(options['key-file']);
  if (keyFile === undefined) return { lockedBy: 'encryption-key', kek: kekOf(plan.encryptionKey) };
  const key = parseKek(privateFile(folder, keyFile).reveal());
  if (!key.ok)
    throw new CommandFailure(`${keyFile}: ${key.error.problem}`, { exitCode: EXIT.usage, hint: key.error.hint });
  return { lockedBy: 'encryption-key', kek: key.value };
}

function privateFile(folder: string, path: string): Secret {
  const file = readPrivateFile(resolve(folder, path));
  if (file.ok) return file.value;
  throw new CommandFailure(file.error.message, { exitCode: EXIT.usage, hint: file.error.hint });
}

/** Whoever has the file may guess as long as they like. */
const MIN_PASSPHRASE_LENGTH = 16;

function goodPassphrase(passphrase: Secret, path: string): Secret {
  if (passphrase.reveal().length >= MIN_PASSPHRASE_LENGTH) return passphrase;
  throw new CommandFailure(`the passphrase in ${path} is shorter than ${MIN_PASSPHRASE_LENGTH} characters`, {
    exitCode: EXIT.usage,
    hint: 'openssl rand -base64 24',
  });
}

const SAY_EVERY_MS = 2000;

/** Says now and then how far along `what` is. Short work is silent. */
export function sayingProgress(say: Surroundings['say'], what: string): Progress {
  let last = performance.now();
  return (done, of) => {
    const now = performance.now();
    if (now - last < SAY_EVERY_MS || done === of) return;
    last = now;
    say(`${what}: ${Math.floor((100 * done) / of)} % of ${shownBytes(of)}`);
  };
}

/** As people read it: 340 kB, 12.4 MB. */
export function shownBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(bytes) / 3)));
  const amount = bytes / 1000 ** step;
  return `${amount < 10 && step > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[step]}`;
}

/** The servers as texts name them. */
export const KIND_NAMES: Readonly<Record<BackupKind, string>> = { issuer: 'issuer', sts: 'STS' };

/** `2026-11-23 10:21:33 UTC`. */
export const madeAt = ({ createdAt }: BackupHeader): string => `${formatMoment(createdAt * 1000)} UTC`;
