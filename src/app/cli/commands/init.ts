// `jobpass init`: three questions, or flags, and a project that `jobpass serve` runs.

import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { systemRandom } from '../../adapters.ts';
import { writeFirstRole } from '../../setup/first-role.ts';
import { parseNamedId } from '../../setup/named-id.ts';
import { writeProject } from '../../setup/project.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';

const QUESTIONS = {
  owner: { ask: 'Who owns the pipelines? NAME@ID', standard: 'acme@42' },
  pipeline: { ask: 'Which pipeline may deploy? NAME@ID', standard: 'web@7' },
  upstream: { ask: 'Which resource should be guarded? URL', standard: 'http://127.0.0.1:8080' },
} as const;

type Question = keyof typeof QUESTIONS;

export const init: Command = {
  usage: 'jobpass init [--owner NAME@ID] [--pipeline NAME@ID] [--upstream URL] [--port N]',
  options: {
    owner: { type: 'string' },
    pipeline: { type: 'string' },
    upstream: { type: 'string' },
    port: { type: 'string' },
  },
  optionHelp: {
    owner: 'the owner of the pipelines, such as acme@42',
    pipeline: 'the pipeline that may deploy, such as web@7',
    upstream: 'the resource behind the gateway, such as http://127.0.0.1:8080',
    port: 'the issuer’s port; STS and gateway take the next two (default: 8701)',
  },
  async run(surroundings) {
    const answers = await ask(surroundings);
    const issuerUrl = `http://127.0.0.1:${port(surroundings)}`;
    const owner = namedId('owner', answers.owner);
    const pipeline = namedId('pipeline', answers.pipeline);
    const upstream = upstreamUrl(answers.upstream);
    const { folder } = surroundings;
    await writeProject(
      folder,
      {
        owners: [owner],
        issuerUrl,
        upstream,
        local: false,
        policies: './policies',
        credentials: join(folder, '.jobpass'),
      },
      systemRandom,
    );
    const role = writeFirstRole(folder, { name: 'deploy', issuerUrl, owner, pipeline });
    for (const file of ['jobpass.yaml', ...role, '.jobpass/  (keys and secrets, for you alone)'])
      surroundings.say(`  wrote ${file}`);
    surroundings.say('\n  test the role   jobpass policy test\n  start it        jobpass serve');
    return EXIT.ok;
  },
};

async function ask(surroundings: Surroundings): Promise<Readonly<Record<Question, string>>> {
  const given = (question: Question): string | undefined => text(surroundings.options[question]);
  const missing = (Object.keys(QUESTIONS) as Question[]).filter((question) => given(question) === undefined);
  if (missing.length > 0 && !(surroundings.isTerminal && process.stdin.isTTY))
    throw new CommandFailure(
      `without a terminal nothing can be asked: ${missing.map((name) => `--${name}`).join(', ')} missing`,
      {
        exitCode: EXIT.usage,
        hint: missing.map((name) => `--${name} ${QUESTIONS[name].standard}`).join(' '),
      },
    );
  const answers = { owner: given('owner') ?? '', pipeline: given('pipeline') ?? '', upstream: given('upstream') ?? '' };
  if (missing.length === 0) return answers;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (const question of missing) {
      const { ask: prompt, standard } = QUESTIONS[question];
      answers[question] =
        (await terminal.question(`${prompt} [${standard}] `, { signal: surroundings.signal })).trim() || standard;
    }
  } finally {
    terminal.close();
  }
  return answers;
}

function namedId(option: 'owner' | 'pipeline', written: string): NonNullable<ReturnType<typeof parseNamedId>> {
  const parsed = parseNamedId(written);
  if (parsed !== undefined) return parsed;
  throw new CommandFailure(`--${option} ${written} is not NAME@ID`, {
    exitCode: EXIT.usage,
    hint: `--${option} ${QUESTIONS[option].standard}`,
  });
}

function upstreamUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url.origin;
  throw new CommandFailure(`--upstream ${written} is not an http or https URL`, {
    exitCode: EXIT.usage,
    hint: `--upstream ${QUESTIONS.upstream.standard}`,
  });
}

/** The issuer's port; two more above it must exist. */
function port(surroundings: Surroundings): number {
  const written = text(surroundings.options.port) ?? '8701';
  const number = Number(written);
  if (/^[0-9]{1,5}$/.test(written) && number >= 1 && number <= 65_533) return number;
  throw new CommandFailure(`--port ${written} is not a port`, {
    exitCode: EXIT.usage,
    hint: '1 to 65533: the next two are used as well',
  });
}
