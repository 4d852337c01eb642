// `jobpass exec`: runs a program with temporary credentials in its environment, and without the right to ask for more.
import { formatDuration } from '../../../base/core/duration.ts';
import { shortId } from '../../../base/core/ids.ts';
import { runWithCredential } from '../../../runner/exec.ts';
import { type Command, CommandFailure, EXIT, type ExitCode } from '../command.ts';
import { exchangeInJob } from '../exchange-in-job.ts';
import { orFail, STS_HELP, STS_OPTIONS } from '../runner-command.ts';

export const exec: Command = {
  usage:
    'jobpass exec --role TENANT/NAME [--sts URL] [--audience AUDIENCE] [--duration DURATION] [--keep-identity] [--quiet]\n' +
    '       -- PROGRAM [ARGUMENT ...]',
  options: { ...STS_OPTIONS, 'keep-identity': { type: 'boolean' }, quiet: { type: 'boolean', short: 'q' } },
  optionHelp: {
    ...STS_HELP,
    'keep-identity': 'let the program ask for further ID tokens',
    quiet: 'say nothing of the session',
  },
  async run(surroundings) {
    const [program, ...args] = surroundings.positionals;
    if (program === undefined) throw new CommandFailure('which program?', { exitCode: EXIT.usage, hint: exec.usage });
    const { credential, role, idTokenMs, exchangeMs } = await exchangeInJob(surroundings);
    if (surroundings.options.quiet !== true) {
      const life = formatDuration(credential.expiresAt - Math.floor(Date.now() / 1000));
      surroundings.say(
        `jobpass: ${role} → session ${shortId(credential.sessionId)}, ${life}   ID token ${Math.round(idTokenMs)} ms, exchange ${Math.round(exchangeMs)} ms`,
      );
    }
    const code = orFail(
      await runWithCredential({
        command: program,
        args,
        env: surroundings.env,
        credential,
        signals: process,
        terminal: process.stdin.isTTY === true,
        keepIdentity: surroundings.options['keep-identity'] === true,
      }),
    );
    // The program's own exit code is the answer, whatever it is.
    return code as ExitCode;
  },
};
