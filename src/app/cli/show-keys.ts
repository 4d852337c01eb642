// Key rings as an operator reads them: what each key does, what happens next by itself, and what a change breaks.
import * as z from 'zod';
import type { JsonObject } from '../../base/core/json.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { CommandFailure } from './command.ts';
import { type Paint, printable } from './paint.ts';

const seconds = z.number().int();
const keySchema = z.object({
  kid: z.string(),
  algorithm: z.string(),
  state: z.string(),
  since: seconds,
  certificate: z.object({ sha1: z.string(), sha256: z.string() }).optional(),
});
const ringSchema = z.object({
  ring: z.string(),
  rotate_every_seconds: seconds.nullable(),
  publish_seconds: seconds,
  retain_seconds: seconds,
  cache_seconds: seconds,
  steps: z.array(
    z.object({ kind: z.enum(['prepare', 'activate', 'expire']), kid: z.string().optional(), at: seconds }),
  ),
  keys: z.array(keySchema),
});
const doneSchema = z.object({ action: z.string(), key: z.string(), detail: z.record(z.string(), z.json()) });

/** A ring as the server answers it. */
export type ShownRing = z.infer<typeof ringSchema>;
type ShownKey = ShownRing['keys'][number];

/** The rings of a server's answer. Ends the command when it is another kind of answer. */
export const readRings = (body: JsonObject): readonly ShownRing[] =>
  read(z.object({ rings: z.array(ringSchema) }), body).rings;

/** What a verb did, and the ring after it. */
export const readChange = (body: JsonObject): { done: z.infer<typeof doneSchema>; ring: ShownRing } =>
  read(z.object({ done: doneSchema, ring: ringSchema }), body);

function read<T>(schema: z.ZodType<T>, body: JsonObject): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CommandFailure('the server gave an answer that this version of jobpass does not know');
}

/** A ring: its schedule, its keys, its next steps. Without a trailing newline. */
export function showRing(ring: ShownRing, paint: Paint): string {
  const { publish_seconds: publish, retain_seconds: retain, rotate_every_seconds: every } = ring;
  const pace = every === null ? 'rotates by command alone' : `rotates every ${span(every)}`;
  const schedule = `${pace} · published ${span(publish)} before it signs · kept ${span(retain)} after`;
  return [
    `${paint.strong(printable(ring.ring))}   ${paint.faint(schedule)}`,
    ...ring.keys.flatMap((key) => keyLines(key, paint)),
    ...ring.steps.map((step) => `  ${moment(step.at)}  ${WHAT_COMES[step.kind](shortKey(step.kid ?? ''))}`),
  ].join('\n');
}

const WHAT_COMES = {
  prepare: () => 'the next key will be made and published',
  activate: (kid: string) => `${kid} will sign`,
  expire: (kid: string) => `${kid} will be published no more`,
} as const;

function keyLines({ algorithm, certificate, kid, since, state }: ShownKey, paint: Paint): string[] {
  const mark = state === 'active' ? paint.good('●') : state === 'revoked' ? paint.bad('✗') : '○';
  const line = `  ${mark} ${printable(kid)}  ${state.padEnd(8)}  since ${moment(since)}  ${printable(algorithm)}`;
  const isShown = certificate !== undefined && state !== 'expired' && state !== 'revoked';
  return isShown ? [line, paint.faint(`      certificate SHA-1 ${certificate.sha1}`)] : [line];
}

/** What was done and what follows from it, the answer first. */
export function showChange({ done, ring }: ReturnType<typeof readChange>): readonly string[] {
  const key = ring.keys.find(({ kid }) => kid === done.key);
  const tell = TELL[done.action];
  if (key === undefined || tell === undefined) return [`${printable(ring.ring)}: ${printable(done.action)}`];
  const [first, ...more] = tell(ring, key, done.detail);
  return [`${printable(ring.ring)}: ${first}`, ...more.map((line) => `  ${line}`)];
}

type Tell = (ring: ShownRing, key: ShownKey, detail: JsonObject) => readonly string[];

const TELL: Readonly<Record<string, Tell>> = {
  'key.prepare': (ring, key) => {
    const step = ring.steps.find(({ kid, kind }) => kind === 'activate' && kid === key.kid);
    return [
      `${key.kid} is prepared: published from now on, it signs nothing yet`,
      `known everywhere   ${moment(key.since + ring.publish_seconds)}, when the last cache has met it`,
      step === undefined
        ? `signs              by: jobpass keys activate ${ring.ring}`
        : `signs              ${moment(step.at)} by itself, or earlier by: jobpass keys activate ${ring.ring}`,
      ...pinned(key),
    ];
  },
  'key.activate': (ring, key, detail) => {
    const before = ring.keys.filter(({ since, state }) => state === 'retired' && since === key.since);
    const early = `early              for ${span(ring.cache_seconds)} and longer, verifiers that cache may refuse what it signs`;
    return [
      `${key.kid} signs from now on`,
      ...(detail.early === true ? [early] : []),
      ...before.map(
        ({ kid, since }) => `still verifies     ${shortKey(kid)} until ${moment(since + ring.retain_seconds)}`,
      ),
    ];
  },
  'key.retire': (_ring, key, detail) => [
    `${key.kid} is published no more`,
    ...(detail.early === true ? ['early              what it signed and is alive is refused from now on'] : []),
  ],
  'key.revoke': (ring, key, detail) => [
    `${key.kid} is revoked: what it signed is good no more`,
    ...successor(ring, detail),
    'at our servers     within a minute: STS and gateways refuse what it signed',
    `elsewhere          caches keep it for up to ${span(ring.cache_seconds)}; where keys or fingerprints are pinned, until you remove it`,
    ...(ring.ring === 'id-token' ? [AFTER_ISSUER] : []),
    ...pinned(ring.keys.find(({ state }) => state === 'active')),
  ],
};

const AFTER_ISSUER =
  'sessions           that a thief got for tokens of this key go on: end them at each STS: jobpass sessions end --issuer URL';

function successor(ring: ShownRing, { signing, was }: JsonObject): readonly string[] {
  if (was !== 'active') return [];
  const next = ring.keys.find(({ kid }) => kid === signing);
  return next === undefined
    ? []
    : [`signs now          ${next.kid}; what is alive of the old one must be asked for again`];
}

/** Who holds the issuer's keys themselves and must be told. The authority of its TLS certificate is another thing. */
function pinned(key: ShownKey | undefined): readonly string[] {
  if (key?.certificate === undefined) return [];
  return [
    `pinned, SHA-1      ${key.certificate.sha1}: register it where certificates of tokens are pinned (Ceph RGW and AWS-like clouds)`,
    'pinned, key set    upload it again where the keys themselves were uploaded (Google Cloud providers with a JWKS)',
    'not concerned      AWS itself, Azure: they read the key set; AWS’s own thumbprint is of the authority of the https certificate',
  ];
}

const shortKey = (kid: string): string => printable(kid.slice(0, 8));

const moment = (at: EpochSeconds): string => `${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** Days where there are some: schedules are long. */
function span(total: number): string {
  const parts = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor((total % 86_400) / 3600), 'h'],
    [Math.floor((total % 3600) / 60), 'min'],
    [total % 60, 's'],
  ] as const;
  const shown = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`);
  return shown.length === 0 ? '0 s' : shown.slice(0, 2).join(' ');
}
