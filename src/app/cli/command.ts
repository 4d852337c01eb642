// What a command is: options, a summary and a function from its surroundings to an exit code.
import type { ParseArgsOptionsConfig } from 'node:util';

/** 0 ok, 1 failed, 2 usage, 3 denied, 4 unavailable: part of the public contract. */
export const EXIT = { ok: 0, failed: 1, usage: 2, denied: 3, unavailable: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type OptionValue = string | boolean | readonly (string | boolean)[] | undefined;

/** Everything a command may touch of its process. */
export interface Surroundings {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Data: what another program may read. */
  readonly out: (text: string) => void;
  /** Talk: what a person reads. */
  readonly say: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly isTerminal: boolean;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly usage: string;
  readonly options: ParseArgsOptionsConfig;
  /** One line per option, for `--help`. */
  readonly optionHelp: Readonly<Record<string, string>>;
  /** Set: a second SIGINT or SIGTERM does not end the program but says this, because stopping puts something in order. */
  readonly whenStoppedTwice?: string;
  run(surroundings: Surroundings): Promise<ExitCode>;
}

/** Ends a command with a clear line, an optional next step and an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  /** Printed as it is, after the first line. */
  readonly detail: string | undefined;

  constructor(
    message: string,
    options: { exitCode?: ExitCode | undefined; hint?: string | undefined; detail?: string | undefined } = {},
  ) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.hint = options.hint;
    this.detail = options.detail;
  }
}

/** The option as text, or undefined. */
export const text = (value: OptionValue): string | undefined => (typeof value === 'string' ? value : undefined);

/** The option's texts, for options that may be repeated. */
export const texts = (value: OptionValue): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
