// `jobpass token`: an ID token of this job for one audience.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatDuration } from '../../../base/core/duration.ts';
import { type IdToken, readJobEnvironment, requestIdToken } from '../../../runner/client.ts';
import { type Command, CommandFailure, EXIT, text } from '../command.ts';
import { orFail, transport } from '../runner-command.ts';

export const token: Command = {
  usage: 'jobpass token --audience AUDIENCE [--json | --file FILE]',
  options: { audience: { type: 'string' }, json: { type: 'boolean' }, file: { type: 'string' } },
  optionHelp: {
    audience: 'whom the token is for',
    json: 'print the token with its claims',
    file: 'put the token there instead, for its owner only and without a line break',
  },
  async run({ options, env, folder, out, say }) {
    orFail(readJobEnvironment(env));
    const audience = text(options.audience);
    const file = text(options.file);
    if (audience === undefined)
      throw new CommandFailure('whom is the token for?', {
        exitCode: EXIT.usage,
        hint: '--audience https://sts.example.com',
      });
    if (file !== undefined && options.json === true)
      throw new CommandFailure('--json is printed, --file is not: one of them', { exitCode: EXIT.usage });
    const asked = performance.now();
    const idToken = orFail(await requestIdToken(transport, { env, audience }));
    const tookMs = Math.round(performance.now() - asked);
    if (file === undefined) out(options.json === true ? asJson(idToken) : idToken.token.reveal());
    else {
      replaceFile(resolve(folder, file), idToken.token.reveal());
      const life = formatDuration(idToken.expiresAt - Math.floor(Date.now() / 1000));
      say(`jobpass: ID token for ${audience} in ${file}, ${life}   ${tookMs} ms`);
    }
    return EXIT.ok;
  },
};

const asJson = ({ token, claims, expiresAt }: IdToken): string =>
  JSON.stringify({ token: token.reveal(), claims, expires_at: expiresAt });

/** Clients read the file again while they run: it holds the old token or the new one, never a part. */
function replaceFile(path: string, content: string): void {
  const unfinished = `${path}.unfinished`;
  try {
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, content, { mode: 0o600, flag: 'wx' });
    renameSync(unfinished, path);
  } catch {
    rmSync(unfinished, { force: true });
    throw new CommandFailure(`${path} cannot be written`);
  }
}
