// What an operator's command says when the server refuses: the server's own words, an exit code, and a next step.
import type { JsonObject } from '../../base/core/json.ts';
import { CommandFailure, EXIT, type ExitCode } from './command.ts';
import { printable } from './paint.ts';

const EXIT_OF_STATUS: Readonly<Record<number, ExitCode>> = { 400: EXIT.usage, 403: EXIT.denied, 503: EXIT.unavailable };

/** The server’s own words, fit for a terminal. */
export const refusalText = (body: JsonObject): string =>
  typeof body.message === 'string' ? printable(body.message, 300) : 'the server refused';

/** The failure of a command about `what`; `hints` by the status of the answer. */
export function operatorRefusal(
  what: string,
  { body, status }: { readonly status: number; readonly body: JsonObject },
  hints: Readonly<Record<number, string>>,
): CommandFailure {
  return new CommandFailure(`${printable(what)}: ${refusalText(body)}`, {
    exitCode: EXIT_OF_STATUS[status] ?? EXIT.failed,
    hint: hints[status],
  });
}
