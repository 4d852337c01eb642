// From arguments to a command to an exit code. Every failure ends in one clear line on stderr.
import { parseArgs } from 'node:util';
import { JobpassError } from '../../base/core/errors.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type OptionValue } from './command.ts';
import type { CommandEntry } from './commands.ts';
import { stopSignals } from './stop-signals.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const out = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the command that `args` name and gives its exit code; never throws. */
export async function dispatch(args: readonly string[], commands: readonly CommandEntry[]): Promise<ExitCode> {
  if (args.length === 0 || args[0] === 'help' || args[0] === '--help' || args[0] === '-h') {
    (args.length === 0 ? say : out)(overview(commands));
    return args.length === 0 ? EXIT.usage : EXIT.ok;
  }
  if (args[0] === '--version') {
    const { packageVersion } = await import('../package-folder.ts');
    out(packageVersion());
    return EXIT.ok;
  }
  const entry = findCommand(args, commands);
  if (entry === undefined) return unknownCommand(args, commands);
  try {
    return await runCommand(entry, args.slice(entry.name.split(' ').length));
  } catch (cause) {
    return report(cause);
  }
}

function findCommand(args: readonly string[], commands: readonly CommandEntry[]): CommandEntry | undefined {
  const two = args.slice(0, 2).join(' ');
  return commands.find(({ name }) => name === two) ?? commands.find(({ name }) => name === args[0]);
}

async function runCommand(entry: CommandEntry, args: readonly string[]): Promise<ExitCode> {
  const command = await entry.load();
  const { values, positionals } = parseCommandLine(command, args);
  if (values.help === true) {
    out(commandHelp(entry, command));
    return EXIT.ok;
  }
  const { whenStoppedTwice } = command;
  const { signal, release } = stopSignals(
    process,
    whenStoppedTwice === undefined ? undefined : () => say(whenStoppedTwice),
  );
  try {
    return await command.run({
      positionals,
      options: values,
      out,
      say,
      env: process.env,
      folder: process.cwd(),
      isTerminal: process.stderr.isTTY === true,
      signal,
    });
  } finally {
    release();
  }
}

function parseCommandLine(
  command: Command,
  args: readonly string[],
): { values: Readonly<Record<string, OptionValue>>; positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...args],
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('. ', 1)[0] ?? '') : 'unreadable arguments';
    throw new CommandFailure(message, { exitCode: EXIT.usage, hint: command.usage });
  }
}

function unknownCommand(args: readonly string[], commands: readonly CommandEntry[]): ExitCode {
  const group = commands.filter(({ name }) => name.startsWith(`${args[0]} `));
  const hint = group.length > 0 ? group.map(({ name }) => `jobpass ${name}`).join(' · ') : 'jobpass help';
  say(
    `jobpass: error: ${group.length > 0 ? 'incomplete' : 'unknown'} command "${args.slice(0, group.length > 0 ? 2 : 1).join(' ')}"   hint: ${hint}`,
  );
  return EXIT.usage;
}

/** Where a failure of ours is not simply `failed`. */
const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  ERR_LISTEN: EXIT.unavailable,
  ERR_STORE_IN_USE: EXIT.unavailable,
  ERR_STORE_UNAVAILABLE: EXIT.unavailable,
  ERR_STORE_PERMISSIONS: EXIT.usage,
  ERR_FILE_EXISTS: EXIT.usage,
  ERR_POLICIES_INVALID: EXIT.usage,
  ERR_POLICIES_UNREADABLE: EXIT.usage,
  ERR_ISSUER_REGISTRATION: EXIT.usage,
};

/** Prints a failure; what was not foreseen shows its cause, so that it can be reported. */
function report(cause: unknown): ExitCode {
  if (cause instanceof CommandFailure) {
    say(
      `jobpass: error: ${cause.message}${hintOf(cause.hint)}${cause.detail === undefined ? '' : `\n${cause.detail}`}`,
    );
    return cause.exitCode;
  }
  if (cause instanceof JobpassError) {
    const [heading = '', ...table] = cause.message.split('\n');
    say([`jobpass: error: ${heading} (${cause.code})${hintOf(cause.hint)}`, ...table].join('\n'));
    return EXIT_OF_CODE[cause.code] ?? EXIT.failed;
  }
  say(
    `jobpass: error: an unexpected failure: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`,
  );
  return EXIT.failed;
}

const hintOf = (hint: string | undefined): string => (hint === undefined ? '' : `   hint: ${hint}`);

function overview(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 3;
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return [
    'usage: jobpass COMMAND [OPTIONS]',
    '',
    ...lines,
    '',
    'jobpass COMMAND --help tells more · exit codes: 0 ok, 1 failed, 2 usage, 3 denied, 4 unavailable',
  ].join('\n');
}

function commandHelp(entry: CommandEntry, command: Command): string {
  const options = Object.entries(command.optionHelp);
  const width = Math.max(0, ...options.map(([name]) => name.length)) + 5;
  return [
    `usage: ${command.usage}`,
    '',
    entry.summary,
    ...(options.length > 0 ? ['', ...options.map(([name, help]) => `  ${`--${name}`.padEnd(width)}${help}`)] : []),
  ].join('\n');
}
