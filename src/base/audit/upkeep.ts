// Owns what a server does for its audit chains by itself: checkpoints, anchoring them outside the database, pruning by age.
import type { EpochMs, EpochSeconds } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { withPatienceForEach } from '../ports/patience.ts';
import type { Random } from '../ports/random.ts';
import type { Signer } from '../ports/signer.ts';
import { Beginnings, requirePrunable } from './beginnings.ts';
import { type ChainHead, startOfChain } from './chain.ts';
import { signCheckpoint } from './checkpoint.ts';
import { newAction } from './new-action.ts';
import type { OpenOwn } from './own-checkpoints.ts';
import type { Actor } from './record.ts';
import type { AuditStore, ChainState, StoredCheckpoint } from './store.ts';

const TICK_MS = 60_000;
/** A checkpoint of another replica within this time will do. */
const RECENT_SECONDS = 50;
/** How many checkpoints are read, and anchored, at once. */
const CHECKPOINTS_AT_ONCE = 100;
/** How many entries of a chain go in one transaction, which nothing else may share. */
const PRUNED_AT_ONCE = 5000;

/** Where checkpoints are kept that whoever can write the database cannot take back. */
export interface Anchor {
  /** Durable when it resolves. */
  append(checkpoints: readonly StoredCheckpoint[]): Promise<void>;
}

/** What the upkeep works on. */
export interface UpkeepDeps {
  readonly store: AuditStore;
  /** The ring that this server signs with. */
  readonly signer: () => Signer;
  /** What of the database's checkpoints that ring signed. */
  readonly open: OpenOwn;
  /** The server's URL. */
  readonly issuer: string;
  /** What the records call this server: `issuer`, `sts`. */
  readonly server: string;
  readonly anchor: Anchor | null;
  /** Records older than this are pruned; null: none. */
  readonly keepSeconds: number | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What to prune, and who says so. */
interface Pruning {
  readonly before: EpochMs;
  readonly actor: Actor;
}

/** What a pruning took. */
export interface Pruned {
  readonly records: number;
}

/** Signs a checkpoint each minute in which something was recorded. Replicas may each have one. */
export class AuditUpkeep {
  readonly #deps: UpkeepDeps;
  readonly #beginnings: Beginnings;
  /** The heads that were signed last. */
  #signed = '';
  #anchoredAt: EpochSeconds;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #isClosing = false;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#beginnings = new Beginnings(deps.store, deps.open);
    this.#anchoredAt = deps.clock.nowSeconds() - 1;
  }

  /** Begins; the first checkpoint is made at once. */
  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), TICK_MS);
    this.#timer.unref();
    void this.tick();
  }

  /** Signs what was recorded since the last checkpoint, and ends; does nothing when it never began. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.tick(true);
  }

  /** One round; what fails is logged and tried again with the next. */
  tick(isLast = false): Promise<void> {
    this.#ticking = this.#ticking.then(async () => {
      await this.#attempt('no checkpoint of the audit chains could be made', () => this.#checkpoint(isLast));
      await this.#attempt('checkpoints could not be anchored', () => this.#anchor());
      if (!isLast) await this.#attempt('old audit records could not be pruned', () => this.#pruneOld());
    });
    return this.#ticking;
  }

  /**
   * Takes the records older than `before` from the beginnings of the chains, in several transactions when there are many: each leaves
   * a checkpoint that says what went, and the record of who did it. Rejects when the store does; what went until then is gone.
   */
  prune(o: Pruning): Promise<Pruned> {
    const pruned = this.#ticking.then(() => withPatienceForEach(() => this.#prune(o)));
    this.#ticking = pruned.then(
      () => undefined,
      () => undefined,
    );
    return pruned;
  }

  async #prune(o: Pruning): Promise<Pruned> {
    const { store } = this.#deps;
    let records = 0;
    for (;;) {
      const upTo = await store.listPrunable(o.before, PRUNED_AT_ONCE);
      // A server that ends does not wait for millions of records; the next pruning goes on.
      if (upTo.length === 0 || this.#isClosing) return { records };
      records += await store.pruneEntries({ upTo, before: o.before, ...(await this.#pruning(upTo, o)) });
    }
  }

  async #pruning(upTo: readonly ChainHead[], o: Pruning) {
    const { store } = this.#deps;
    const states = await store.listHeads();
    const begun = await this.#begun(states);
    const from = new Map(begun.map((head) => [head.writer, head]));
    for (const head of upTo) {
      const begins = from.get(head.writer) ?? startOfChain(head.writer);
      await requirePrunable(store, { before: o.before, from: begins, upTo: head });
      from.set(head.writer, head);
    }
    const checkpoint = await this.#sign(states, [...from.values()]);
    const before = new Date(o.before).toISOString();
    const record = newAction(this.#deps, {
      actor: o.actor,
      action: 'audit.prune',
      tenant: null,
      target: `records before ${before}`,
      detail: { before, chains: upTo.length },
    });
    return { checkpoint, record };
  }

  async #checkpoint(isLast: boolean): Promise<void> {
    const { store } = this.#deps;
    const states = await store.listHeads();
    const heads = JSON.stringify(states);
    if (heads === this.#signed || states.length === 0) return;
    if (!isLast && (await this.#isRecent())) return;
    // A chain without entries is in the checkpoint that pruned it.
    const begun = await this.#begun(states.filter(hasEntries));
    await store.insertCheckpoint(await this.#sign(states, begun));
    this.#signed = heads;
  }

  /** Whether there is a checkpoint of just now. Whatever else stands in the database must not keep this server from making one. */
  async #isRecent(): Promise<boolean> {
    const { clock, open, store } = this.#deps;
    const now = clock.nowSeconds();
    for (const stored of await store.listCheckpoints(now - RECENT_SECONDS, CHECKPOINTS_AT_ONCE))
      if (stored.at <= now && (await open(stored)) !== undefined) return true;
    return false;
  }

  /** Where the chains begin whose beginning was pruned, as far as a checkpoint says so. */
  async #begun(states: readonly ChainState[]): Promise<readonly ChainHead[]> {
    const claimed = states.map(prunedOf).filter(({ sequence }) => sequence > 0);
    const begun = await this.#beginnings.proved(claimed, this.#deps.clock.nowSeconds());
    if (begun.length < claimed.length)
      this.#deps.log.error(
        { chains: claimed.length - begun.length },
        'the database says that audit records were pruned, and no signed checkpoint does: jobpass audit verify',
      );
    return begun;
  }

  #sign(states: readonly ChainState[], pruned: readonly ChainHead[]): Promise<StoredCheckpoint> {
    const { clock, issuer, signer } = this.#deps;
    const at = clock.nowSeconds();
    const heads = states.filter(hasEntries);
    return signCheckpoint({ issuer, at, heads, pruned }, signer());
  }

  async #anchor(): Promise<void> {
    const { anchor, clock, open, store } = this.#deps;
    while (anchor !== null) {
      const found = await store.listCheckpoints(this.#anchoredAt, CHECKPOINTS_AT_ONCE);
      const now = clock.nowSeconds();
      // What claims to be of later must not make this server pass over those until then.
      const checkpoints = found.filter(({ at }) => at <= now);
      const last = checkpoints.at(-1);
      if (last === undefined) return;
      const own: StoredCheckpoint[] = [];
      for (const stored of checkpoints) if ((await open(stored)) !== undefined) own.push(stored);
      if (own.length > 0) await anchor.append(own);
      this.#anchoredAt = last.at;
    }
  }

  async #pruneOld(): Promise<void> {
    const { clock, keepSeconds } = this.#deps;
    if (keepSeconds === null) return;
    const before = clock.nowMs() - keepSeconds * 1000;
    await this.#prune({ before, actor: { kind: 'server', name: this.#deps.server } });
  }

  async #attempt(failed: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#deps.log.warn({ err: error }, failed);
    }
  }
}

const prunedOf = ({ pruned, writer }: ChainState): ChainHead => ({ writer, ...pruned });

const hasEntries = ({ pruned, sequence }: ChainState): boolean => sequence > pruned.sequence;
