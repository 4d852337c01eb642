// Defaults and checks that every server section shares.
import { resolve } from 'node:path';
import { parseDuration } from '../../base/core/duration.ts';
import { parseKek } from '../../keys/kek.ts';
import type { ListenAddress, ServerPlan } from './plan.ts';
import type { DocumentPath, ProblemList } from './problem-list.ts';
import { parseListen } from './schema.ts';
import type { SecretPlaces } from './secret-reference.ts';

export interface PlanContext {
  readonly places: SecretPlaces;
  readonly problems: ProblemList;
  readonly clockSkew?: string | undefined;
}

/** Where `jobpass init` puts the key-encryption key of a server, outside the data folder. */
const defaultEncryptionKey = (server: string): string => `file:.jobpass/${server}.kek`;

/** Seconds of a duration that the schema has checked. */
export const seconds = (text: string): number => parseDuration(text) ?? 0;

const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** True when the URL names this machine; only then may it be plain http. */
const isLoopbackUrl = (url: string): boolean => LOOPBACK_HOSTS.has(new URL(url).hostname);

/** Tokens and secrets travel to this URL: plain http only where they do not leave the machine. */
export function checkTransport(url: string, path: DocumentPath, problems: ProblemList): void {
  if (url.startsWith('http:') && !isLoopbackUrl(url))
    problems.add(path, 'plain http is allowed on loopback only', 'https://…');
}

/** Address, database and key of one server section, defaults filled in. */
export function planServer(
  section: {
    readonly listen?: string | undefined;
    readonly storage?: string | undefined;
    readonly keys?: { readonly encryption_key?: string | undefined } | undefined;
  },
  server: { readonly name: string; readonly url: string | null; readonly path: DocumentPath },
  context: PlanContext,
): ServerPlan {
  const { places, problems } = context;
  const reference = section.keys?.encryption_key ?? defaultEncryptionKey(server.name);
  const keyPath = section.keys?.encryption_key === undefined ? server.path : [...server.path, 'keys', 'encryption_key'];
  const encryptionKey = problems.secret(keyPath, reference, places);
  if (encryptionKey.reveal() !== '') {
    const key = parseKek(encryptionKey.reveal());
    if (!key.ok) problems.add(keyPath, `${reference}: ${key.error.problem}`, key.error.hint);
  }
  return {
    listen: listenAddress(section.listen, server, problems),
    storagePath: resolve(places.folder, (section.storage ?? `sqlite:./data/${server.name}.db`).slice('sqlite:'.length)),
    encryptionKey,
  };
}

function listenAddress(
  listen: string | undefined,
  server: { readonly url: string | null; readonly path: DocumentPath },
  problems: ProblemList,
): ListenAddress {
  const given = listen === undefined ? undefined : parseListen(listen);
  if (given !== undefined) return given;
  if (server.url !== null && isLoopbackUrl(server.url)) {
    const url = new URL(server.url);
    if (url.port !== '') return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
  }
  problems.add(server.path, 'listen is missing', 'listen: 127.0.0.1:8700   (host:port)');
  return { host: '127.0.0.1', port: 0 };
}
