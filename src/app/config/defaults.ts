// Defaults and checks that every server section shares.
import { resolve } from 'node:path';
import { parseDuration } from '../../base/core/duration.ts';
import type { Secret } from '../../base/core/secret.ts';
import type { NetworkScope } from '../../base/ports/fetch.ts';
import { parseKek } from '../../keys/kek.ts';
import { MIN_PUBLISH_SECONDS } from '../../keys/lifecycle.ts';
import type { KeyRotationPlan, ListenAddress, ServerPlan, StoragePlan } from './plan.ts';
import { type AuditSection, planAudit } from './plan-audit.ts';
import type { PlanContext } from './plan-context.ts';
import { planDatabase } from './plan-storage.ts';
import { planTls, type TlsSection } from './plan-tls.ts';
import type { DocumentPath, ProblemList } from './problem-list.ts';
import { parseListen } from './schema-texts.ts';

/** Where `jobpass init` puts the key-encryption key of a server, outside the data folder. */
const defaultEncryptionKey = (server: string): string => `file:.jobpass/${server}.kek`;

/** Seconds of a duration that the schema has checked. */
export const seconds = (text: string): number => parseDuration(text) ?? 0;

const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** True when the URL names this machine; only then may it be plain http. */
export const isLoopbackUrl = (url: string): boolean => LOOPBACK_HOSTS.has(new URL(url).hostname);

const PLAIN_HTTP = 'plain http is allowed on loopback only';

/** A server's own URL, which tokens and secrets are sent to: plain http only where they do not leave the machine. */
export function checkOwnUrl(url: string, path: DocumentPath, problems: ProblemList): void {
  if (url.startsWith('http:') && !isLoopbackUrl(url)) problems.add(path, PLAIN_HTTP, 'https://…');
}

/** Another server's URL: over plain http only on this machine, and then the connection must be kept to it. */
export function checkPeerUrl(
  peer: { readonly url: string; readonly network: NetworkScope },
  path: DocumentPath,
  problems: ProblemList,
): void {
  if (!peer.url.startsWith('http:')) return;
  if (!isLoopbackUrl(peer.url)) problems.add(path, PLAIN_HTTP, 'https://…');
  else if (peer.network !== 'loopback') problems.add(path, PLAIN_HTTP, 'network: loopback');
}

interface RotationSection {
  readonly rotate_every?: string | undefined;
  readonly publish_for?: string | undefined;
}

interface StorageSection {
  readonly storage?: string | undefined;
  readonly keys?:
    | { readonly encryption_key?: string | undefined; readonly encryption_key_before?: string | undefined }
    | undefined;
}

/** Address, database and key of one server section, defaults filled in. */
export function planServer(
  section: StorageSection & {
    readonly listen?: string | undefined;
    readonly witness?: string | undefined;
    readonly tls?: TlsSection | undefined;
    readonly keys?: RotationSection | undefined;
    readonly audit?: AuditSection | undefined;
  },
  server: { readonly name: string; readonly url: string; readonly path: DocumentPath },
  context: PlanContext,
): ServerPlan {
  if (section.tls !== undefined && server.url.startsWith('http:'))
    context.problems.add([...server.path, 'url'], 'an http URL, but the server speaks https', 'https://…');
  return {
    listen: listenAddress(section.listen, server, context.problems),
    tls: planTls(section.tls, [...server.path, 'tls'], context),
    witnessPath: resolve(context.places.folder, section.witness ?? `./witness/${server.name}.json`),
    audit: planAudit(section.audit, [...server.path, 'audit'], context),
    keyRotation: planRotation(section.keys, [...server.path, 'keys'], context.problems),
    ...planStorage(section, server, context),
  };
}

const DEFAULT_ROTATION = '90d';
/** A day: longer than any key set that caches keep though they should not. */
const DEFAULT_PUBLICATION = '1d';

function planRotation(
  section: RotationSection | undefined,
  path: DocumentPath,
  problems: ProblemList,
): KeyRotationPlan {
  const every = section?.rotate_every ?? DEFAULT_ROTATION;
  const publishSeconds = seconds(section?.publish_for ?? DEFAULT_PUBLICATION);
  const rotateEverySeconds = every === 'never' ? null : seconds(every);
  if (publishSeconds < MIN_PUBLISH_SECONDS)
    problems.add([...path, 'publish_for'], 'some caches would not have met the key before it signs', '11m or longer');
  if (rotateEverySeconds !== null && rotateEverySeconds < 2 * publishSeconds)
    problems.add(
      [...path, 'rotate_every'],
      'shorter than twice the time that keys are published before',
      'publish_for',
    );
  return { rotateEverySeconds, publishSeconds };
}

/** Database and key of one server section, defaults filled in. */
export function planStorage(
  section: StorageSection,
  server: { readonly name: string; readonly path: DocumentPath },
  context: PlanContext,
): StoragePlan {
  const reference = section.keys?.encryption_key ?? defaultEncryptionKey(server.name);
  const keyPath = section.keys?.encryption_key === undefined ? server.path : [...server.path, 'keys', 'encryption_key'];
  const before = section.keys?.encryption_key_before;
  const beforePath = [...server.path, 'keys', 'encryption_key_before'];
  return {
    database: planDatabase(section.storage, server, context),
    encryptionKey: encryptionKeyOf(reference, keyPath, context),
    encryptionKeyBefore: before === undefined ? null : encryptionKeyOf(before, beforePath, context),
  };
}

function encryptionKeyOf(reference: string, path: DocumentPath, { places, problems }: PlanContext): Secret {
  const encryptionKey = problems.secret(path, reference, places);
  if (encryptionKey.reveal() === '') return encryptionKey;
  const key = parseKek(encryptionKey.reveal());
  if (!key.ok) problems.add(path, `${reference}: ${key.error.problem}`, key.error.hint);
  return encryptionKey;
}

function listenAddress(
  listen: string | undefined,
  server: { readonly url: string; readonly path: DocumentPath },
  problems: ProblemList,
): ListenAddress {
  const given = listen === undefined ? undefined : parseListen(listen);
  if (given !== undefined) return given;
  if (isLoopbackUrl(server.url)) {
    const url = new URL(server.url);
    if (url.port !== '') return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
  }
  problems.add(server.path, 'listen is missing', 'listen: 127.0.0.1:8700   (host:port)');
  return { host: '127.0.0.1', port: 0 };
}
