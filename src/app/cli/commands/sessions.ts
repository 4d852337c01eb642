// `jobpass sessions list|end|epochs`: what is in force at the STS, and ending it, over its operator routes.
import type { JsonObject } from '../../../base/core/json.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';
import { askOperator, operatorCredential } from '../operator.ts';
import { operatorRefusal } from '../operator-refusal.ts';
import { SCOPE_HELP, SCOPE_OPTIONS, scopeOption } from '../scope-options.ts';
import { objectsOf, showFelt, showMoment, showScope, showSession } from '../show-scope.ts';

const JSON_OPTION = { json: { type: 'boolean' } } as const;
const JSON_HELP = { json: 'print JSON on stdout' };
const HINTS = {
  403: 'the operator’s entry under sts.clients: `may.revoke` for a tenant, `may.operate: true` for what is of no single one',
  404: 'jobpass sessions list shows what is in force; roles are named tenant/name, issuers by their whole URL',
};

export const sessionsList: Command = {
  usage: 'jobpass sessions list [--role R] [--tenant T] [--issuer URL] [--job J] [--limit N] [--after ID] [--json]',
  options: {
    role: { type: 'string' },
    tenant: { type: 'string' },
    issuer: { type: 'string' },
    job: { type: 'string' },
    limit: { type: 'string' },
    after: { type: 'string' },
    ...JSON_OPTION,
  },
  optionHelp: {
    role: 'of one role, tenant/name',
    tenant: 'of one tenant',
    issuer: 'of one issuer, by its URL',
    job: 'of one job, by its id',
    limit: 'how many (default: 100)',
    after: 'those after this id: the next page',
    ...JSON_HELP,
  },
  async run(surroundings) {
    noPositionals(surroundings, sessionsList.usage);
    const query = new URLSearchParams();
    for (const name of ['role', 'tenant', 'issuer', 'job', 'limit', 'after']) {
      const value = text(surroundings.options[name]);
      if (value !== undefined) query.set(name, value);
    }
    const body = await ask(surroundings, 'sessions', { path: `sessions?${query}` });
    if (surroundings.options.json === true) return printJson(surroundings, body);
    const sessions = objectsOf(body, 'sessions');
    for (const session of sessions) surroundings.out(showSession(session, Date.now() / 1000));
    if (sessions.length === 0) surroundings.say('no session is in force');
    if (typeof body.next === 'string') surroundings.say(`there are more: --after ${body.next}`);
    return EXIT.ok;
  },
};

export const sessionsEnd: Command = {
  usage: 'jobpass sessions end ID | --job J [--issuer URL] | --role R | --tenant T | --issuer URL | --all  [--json]',
  options: { job: { type: 'string' }, ...SCOPE_OPTIONS, ...JSON_OPTION },
  optionHelp: { job: 'everything a job holds; it gets nothing more', ...SCOPE_HELP, ...JSON_HELP },
  async run(surroundings) {
    const { options, positionals } = surroundings;
    const [id, ...more] = positionals;
    const job = text(options.job);
    if (more.length > 0 || (id !== undefined && (job ?? scopeOption(options)) !== undefined)) throw whichOne();
    if (id !== undefined) return endOne(surroundings, id);
    if (job !== undefined) return endJob(surroundings, job);
    const scope = scopeOption(options);
    if (scope === undefined) throw whichOne();
    return raiseEpoch(surroundings, scope);
  },
};

export const sessionsEpochs: Command = {
  usage: 'jobpass sessions epochs [--json]',
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  async run(surroundings) {
    noPositionals(surroundings, sessionsEpochs.usage);
    const body = await ask(surroundings, 'epochs', { path: 'epochs' });
    if (surroundings.options.json === true) return printJson(surroundings, body);
    const epochs = objectsOf(body, 'epochs');
    for (const epoch of epochs)
      surroundings.out(`${showScope(epoch)}  ended what was issued up to ${showMoment(epoch.at)}`);
    if (epochs.length === 0) surroundings.say('nothing was ended as a whole in the last day and a half');
    return EXIT.ok;
  },
};

async function endOne(surroundings: Surroundings, id: string): Promise<typeof EXIT.ok> {
  const body = await ask(surroundings, id, { path: 'sessions/end', post: { session: id } });
  if (surroundings.options.json === true) return printJson(surroundings, body);
  const [session = {}] = objectsOf(body, 'ended');
  surroundings.out(`ended  ${showSession(session, Date.now() / 1000)}`);
  surroundings.say(showFelt(body));
  if (typeof session.job_id === 'string')
    surroundings.say(`its job may get another one: jobpass sessions end --job ${session.job_id} ends them all`);
  return EXIT.ok;
}

async function endJob(surroundings: Surroundings, job: string): Promise<typeof EXIT.ok> {
  const { options } = surroundings;
  if (options.all === true || options.role !== undefined || options.tenant !== undefined) throw whichOne();
  const issuer = text(options.issuer);
  const post = { job, ...(issuer === undefined ? {} : { issuer }) };
  const body = await ask(surroundings, `job ${job}`, { path: 'sessions/end', post });
  if (options.json === true) return printJson(surroundings, body);
  const ended = objectsOf(body, 'ended');
  // A server of an earlier version tells no number.
  const sessions = typeof body.sessions === 'number' ? body.sessions : ended.length;
  surroundings.out(`ended  job ${job}: ${sessionsText(sessions, false)}, and it gets no more`);
  for (const session of ended) surroundings.out(`  ${showSession(session, Date.now() / 1000)}`);
  surroundings.say(showFelt(body));
  return EXIT.ok;
}

async function raiseEpoch(surroundings: Surroundings, scope: JsonObject): Promise<typeof EXIT.ok> {
  const body = await ask(surroundings, showScope(scope), { path: 'epochs', post: scope });
  if (surroundings.options.json === true) return printJson(surroundings, body);
  const at = objectsOf({ epoch: [body.epoch ?? null] }, 'epoch')[0]?.at;
  const count = sessionsText(Number(body.sessions), body.more === true);
  surroundings.out(`ended  ${showScope(scope)}: what was issued up to ${showMoment(at)}, ${count}`);
  surroundings.say(showFelt(body));
  surroundings.say(
    'jobs that still run get new sessions for ID tokens that are issued from now on; jobpass freeze stops that',
  );
  return EXIT.ok;
}

const sessionsText = (count: number, isMore: boolean): string =>
  isMore ? `at least ${count} sessions` : `${count} ${count === 1 ? 'session' : 'sessions'}`;

const whichOne = (): CommandFailure =>
  new CommandFailure('what is to end?', {
    exitCode: EXIT.usage,
    hint: 'one session’s ID, or one of --job, --role, --tenant, --issuer, --all',
  });

function noPositionals({ positionals }: Surroundings, usage: string): void {
  if (positionals.length > 0)
    throw new CommandFailure(`"${positionals[0]}" is one word too many`, { exitCode: EXIT.usage, hint: usage });
}

async function ask(
  surroundings: Surroundings,
  what: string,
  { path, post }: { readonly path: string; readonly post?: JsonObject },
): Promise<JsonObject> {
  const answer = await askOperator(operatorCredential(surroundings), `/admin/v1/${path}`, post);
  if (answer.status !== 200) throw operatorRefusal(what, answer, HINTS);
  return answer.body;
}

function printJson({ out }: Surroundings, body: JsonObject): typeof EXIT.ok {
  out(JSON.stringify(body, undefined, 2));
  return EXIT.ok;
}
