// Exchanges under load, with a ledger of every answer: what was granted, what was refused, what was never answered.
import { exchangeAt, type Reply, type RunningJob } from './calls.ts';

/** After a refusal, and after a broken connection, so that an outage does not become a storm that keeps a server from starting. */
const BREATH_MS = 20;
const CUT_OFF_MS = 150;

/** What an answered grant named. */
export interface AnsweredGrant {
  readonly decisionId: string;
  readonly sessionId: string;
}

/** Lanes that exchange the jobs' tokens in turn, until `stop`. */
export class ExchangeLoad {
  readonly granted: AnsweredGrant[] = [];
  /** Answers other than grants; the newest last. */
  readonly refused: Reply[] = [];
  unanswered = 0;
  readonly #sts: string;
  readonly #jobs: readonly RunningJob[];
  #lanes: Promise<unknown> | undefined;
  #stopped = false;

  constructor(sts: string, jobs: readonly RunningJob[]) {
    this.#sts = sts;
    this.#jobs = jobs;
  }

  start(lanes = 6): void {
    this.#stopped = false;
    this.#lanes = Promise.all(Array.from({ length: lanes }, (_, lane) => this.#run(lane)));
  }

  /** Resolves when every call that is under way has been answered, or never will be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#lanes;
  }

  /** Waits until `many` more grants have been answered than now. */
  async untilGranted(many: number, limitMs = 30_000): Promise<number> {
    const begin = performance.now();
    const wanted = this.granted.length + many;
    while (this.granted.length < wanted) {
      if (performance.now() - begin > limitMs)
        throw new Error(`no grant in ${limitMs} ms; refused last: ${JSON.stringify(this.refused.at(-1))}`);
      await breathe(5);
    }
    return performance.now() - begin;
  }

  async #run(lane: number): Promise<void> {
    for (let turn = lane; !this.#stopped; turn += 1) {
      const job = this.#jobs[turn % this.#jobs.length];
      if (job === undefined) return;
      const reply = await exchangeAt(this.#sts, job.token);
      if (reply?.status === 200) this.granted.push(grantIn(reply));
      else {
        if (reply === undefined) this.unanswered += 1;
        else this.refused.push(reply);
        await breathe(reply === undefined ? CUT_OFF_MS : BREATH_MS);
      }
    }
  }
}

/** What a granting answer names. */
const grantIn = ({ body }: Pick<Reply, 'body'>): AnsweredGrant => ({
  decisionId: String(body.decision_id),
  sessionId: String(body.session_id),
});

/** Resolves after `ms`. */
export const breathe = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
