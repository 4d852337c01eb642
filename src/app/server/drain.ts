// The end of a server's life as those in front of it see it: it says that it is going, keeps answering while they look elsewhere, and
// lets go of connections that would be used again.
import type { Server, ServerResponse } from 'node:http';

/** Whoever asked for readiness within this time will ask again. */
const WATCHED_MS = 60_000;

/** One per server; its listeners share it. */
export class Drain {
  #begun = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  readonly #underWay = new Set<ServerResponse>();

  get begun(): boolean {
    return this.#begun;
  }

  /** Somebody asked whether the server is ready. */
  asked(): void {
    this.#askedAt = performance.now();
  }

  /** From now on the server is not ready. True: somebody watches that, and needs a moment to see it. */
  begin(): boolean {
    this.#begun = true;
    for (const res of this.#underWay) if (!res.headersSent) res.shouldKeepAlive = false;
    return performance.now() - this.#askedAt < WATCHED_MS;
  }

  /** Answers of `server` end their connection once the drain has begun. */
  watch(server: Server): void {
    server.prependListener('request', (_req, res) => {
      if (this.#begun) {
        res.shouldKeepAlive = false;
        return;
      }
      this.#underWay.add(res);
      res.once('close', () => this.#underWay.delete(res));
    });
  }
}
