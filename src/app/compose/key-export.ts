// The issuer's public documents as files, for any web host, and the command that brings them there: after every change of the key
// ring. A key counts as published only from the first time that this has succeeded with it.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject } from '../../base/core/json.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { Log } from '../../base/ports/log.ts';
import type { KeyExportPlan } from '../config/plan.ts';

/** Beside the documents: since when each key of them is published. Nothing in it is secret. */
const MARKER = '.jobpass-export.json';
const HOOK_TIMEOUT_MS = 60_000;
/** After a failure. */
const RETRY_MS = 30_000;

/** The documents by their paths below the issuer's URL, and the ids of the keys in them. */
interface ExportedDocuments {
  readonly files: ReadonlyMap<string, string>;
  readonly kids: readonly string[];
}

/** What is exported, and where to. */
export interface KeyExporterDeps {
  readonly plan: KeyExportPlan;
  readonly documents: () => ExportedDocuments;
  readonly clock: Clock;
  readonly log: Log;
}

/** Exports when asked, one at a time, and again until it succeeds. */
export class KeyExporter {
  readonly #deps: KeyExporterDeps;
  #since: ReadonlyMap<string, EpochSeconds>;
  #running: Promise<void> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(deps: KeyExporterDeps) {
    this.#deps = deps;
    this.#since = readMarker(join(deps.plan.folder, MARKER));
  }

  /** Since when the key is published where the export goes; null: it is not yet. */
  publishedSince(kid: string): EpochSeconds | null {
    return this.#since.get(kid) ?? null;
  }

  /** Writes and brings what the documents are now. Never rejects: a failure is logged, and tried again. */
  export(): Promise<void> {
    this.#running = this.#running.then(() => this.#export());
    return this.#running;
  }

  /** Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#running;
  }

  async #export(): Promise<void> {
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    const { clock, documents, log, plan } = this.#deps;
    const { files, kids } = documents();
    try {
      await writeDocuments(plan.folder, files);
      if (plan.hook !== null) await runHook(plan.hook, plan.folder);
      // From when it has succeeded: nobody can have met a new key before.
      const now = clock.nowSeconds();
      this.#since = new Map(kids.map((kid) => [kid, this.#since.get(kid) ?? now]));
      await writeWhole(join(plan.folder, MARKER), JSON.stringify({ kids: Object.fromEntries(this.#since) }));
      log.info({ folder: plan.folder, keys: kids }, 'the public documents are exported');
    } catch (error) {
      log.error({ err: error, folder: plan.folder }, 'the public documents could not be exported; new keys wait');
      this.#retry = setTimeout(() => void this.export(), RETRY_MS);
      this.#retry.unref();
    }
  }
}

/** Writes each document whole or not at all. */
export async function writeDocuments(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, body] of files) await writeWhole(join(folder, path), body);
}

async function writeWhole(path: string, body: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o644);
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

/** Without a shell, and with nothing of the server's own environment but what finds programs: secrets may stand in the rest. */
function runHook({ command, env }: NonNullable<KeyExportPlan['hook']>, folder: string): Promise<void> {
  const [program, ...args] = command;
  const options = {
    cwd: folder,
    env: { ...env, JOBPASS_EXPORT: folder },
    timeout: HOOK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** What was published when; nothing when there is no such file or it cannot be read: then keys wait once more. */
function readMarker(path: string): ReadonlyMap<string, EpochSeconds> {
  try {
    const parsed = parseJsonObject(readFileSync(path));
    const kids = parsed.ok && isJsonObject(parsed.value.kids) ? parsed.value.kids : {};
    return new Map(Object.entries(kids).flatMap(([kid, at]) => (Number.isSafeInteger(at) ? [[kid, Number(at)]] : [])));
  } catch {
    return new Map();
  }
}
