// `jobpass audit tail|export|prune|keys`: the trail of decisions and actions of a running server, from its operator routes.
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { StoredEntry } from '../../../base/audit/chain.ts';
import { decodeRecord } from '../../../base/audit/decode.ts';
import { ocsfEvent } from '../../../wire/ocsf.ts';
import { auditCredential, SERVER_HELP, SERVER_OPTION } from '../audit/credential.ts';
import { entryLine, exportLines } from '../audit/export-file.ts';
import { askAudit, readKeys, serverTrail } from '../audit/server-trail.ts';
import { tailLine } from '../audit/show.ts';
import { storedEntry, type Trail } from '../audit/trail.ts';
import { type Command, CommandFailure, EXIT, type OptionValue, text } from '../command.ts';

const FOLLOW_MS = 1000;
/** In one answer while following. */
const FOLLOWED_AT_ONCE = 500;

const tailAnswer = z.strictObject({
  entries: z.array(storedEntry),
  after: z.record(z.string(), z.int().nonnegative()),
});

export const auditTail: Command = {
  usage: 'jobpass audit tail [--follow] [--limit N] [--issuer] [--json]',
  options: { ...SERVER_OPTION, follow: { type: 'boolean' }, limit: { type: 'string' }, json: { type: 'boolean' } },
  optionHelp: {
    follow: 'go on with what is recorded from now on',
    limit: 'how many records to begin with (default: 20)',
    ...SERVER_HELP,
    json: 'print JSON Lines on stdout',
  },
  async run(surroundings) {
    const { options, out, signal } = surroundings;
    const limit = text(options.limit) ?? '20';
    if (!/^[1-9][0-9]{0,2}$/.test(limit))
      throw new CommandFailure(`--limit ${limit} is not a number from 1 to 999`, { exitCode: EXIT.usage });
    const credential = auditCredential(surroundings);
    const print = (entry: StoredEntry): void =>
      out(options.json === true ? JSON.stringify(entryLine(entry)) : tailLine(entry));
    const ask = (post: { limit: number; after?: Readonly<Record<string, number>> }) =>
      askAudit(credential, { path: 'tail', post }, tailAnswer);
    let answer = await ask({ limit: Number(limit) });
    answer.entries.forEach(print);
    if (options.follow === true) surroundings.say('following, Ctrl-C ends it');
    while (options.follow === true && !signal.aborted) {
      answer = await ask({ limit: FOLLOWED_AT_ONCE, after: answer.after });
      answer.entries.forEach(print);
      if (answer.entries.length === 0) await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
    }
    return EXIT.ok;
  },
};

export const auditExport: Command = {
  usage: 'jobpass audit export [--format jsonl|ocsf] [--since DATE] [--issuer]',
  options: { ...SERVER_OPTION, format: { type: 'string' }, since: { type: 'string' } },
  optionHelp: {
    format: 'jsonl: what audit verify --file reads (default); ocsf: events of OCSF 1.6.0',
    since: 'records of this day or moment and later: 2026-11-23 or 2026-11-23T03:00:00Z',
    ...SERVER_HELP,
  },
  async run(surroundings) {
    const { options, out, say } = surroundings;
    const format = text(options.format) ?? 'jsonl';
    if (format !== 'jsonl' && format !== 'ocsf')
      throw new CommandFailure(`--format ${format} is neither jsonl nor ocsf`, { exitCode: EXIT.usage });
    const since = options.since === undefined ? null : momentOf('--since', options.since);
    const trail = await serverTrail(auditCredential(surroundings));
    let unreadable = 0;
    const lines = format === 'jsonl' ? exportLines(trail, since) : ocsfLines(trail, since, () => (unreadable += 1));
    for await (const line of lines) out(line);
    if (unreadable > 0) say(`${unreadable} records could not be read: jobpass audit verify says which`);
    return unreadable > 0 ? EXIT.failed : EXIT.ok;
  },
};

async function* ocsfLines(trail: Trail, since: number | null, onUnreadable: () => void): AsyncGenerator<string, void> {
  for await (const { body, index, sequence, writer } of trail.entries()) {
    if (since !== null && index.at < since) continue;
    const record = decodeRecord(body);
    if (record === undefined) onUnreadable();
    else yield JSON.stringify(ocsfEvent(record, { issuer: trail.issuer, writer, sequence }));
  }
}

const prunedAnswer = z.strictObject({ records: z.int().nonnegative() });

export const auditPrune: Command = {
  usage: 'jobpass audit prune --before DATE [--issuer]',
  options: { ...SERVER_OPTION, before: { type: 'string' } },
  optionHelp: {
    before: 'records of before this day or moment go, at least a day ago; a signed checkpoint stays',
    ...SERVER_HELP,
  },
  async run(surroundings) {
    const { options, out } = surroundings;
    if (options.before === undefined)
      throw new CommandFailure('up to when?', { exitCode: EXIT.usage, hint: auditPrune.usage });
    const before = momentOf('--before', options.before);
    const asked = { path: 'prune', post: { before } };
    const { records } = await askAudit(auditCredential(surroundings), asked, prunedAnswer);
    out(`${records} records of before ${new Date(before).toISOString()} pruned`);
    return EXIT.ok;
  },
};

export const auditKeys: Command = {
  usage: 'jobpass audit keys [--issuer]',
  options: SERVER_OPTION,
  optionHelp: SERVER_HELP,
  async run(surroundings) {
    const keys = await readKeys(auditCredential(surroundings));
    surroundings.out(JSON.stringify({ keys: keys.map(({ jwk, state }) => ({ ...jwk, state })) }));
    return EXIT.ok;
  },
};

/** Milliseconds of a day or a moment in UTC. */
function momentOf(option: string, value: OptionValue): number {
  const written = text(value) ?? '';
  const isMoment = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$/.test(written);
  const ms = isMoment ? Date.parse(written) : Number.NaN;
  if (Number.isNaN(ms) || ms < 0)
    throw new CommandFailure(`${option} ${written} is not a day or a moment`, {
      exitCode: EXIT.usage,
      hint: '2026-11-23 or 2026-11-23T03:00:00Z',
    });
  return ms;
}
