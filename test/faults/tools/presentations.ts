// Presents single-use tokens many times at once, and counts what was granted of each.
import { exchangeAt, type Reply } from './calls.ts';
import { breathe } from './exchange-load.ts';

/** At most so many calls are under way. */
const LANES = 96;
/** A server that died is coming back. */
const CUT_OFF_MS = 50;

/** What became of tokens that were presented again and again. */
export class Presentations {
  readonly #granted: Map<string, number>;
  /** Status and reason of every other answer, and how often. */
  readonly refused = new Map<string, number>();
  unanswered = 0;

  constructor(tokens: readonly string[]) {
    this.#granted = new Map(tokens.map((token) => [token, 0]));
  }

  /** How many tokens were granted exactly so many times. */
  grantedTimes(times: number): number {
    return [...this.#granted.values()].filter((granted) => granted === times).length;
  }

  /** Every token so many times, those of one token at the same moment. */
  async present(sts: string, times: number): Promise<void> {
    const waiting = [...this.#granted.keys()].flatMap((token) => Array.from({ length: times }, () => token));
    const lane = async (): Promise<void> => {
      for (let token = waiting.shift(); token !== undefined; token = waiting.shift()) {
        const reply = await exchangeAt(sts, token, 'once');
        this.#note(token, reply);
        if (reply === undefined) await breathe(CUT_OFF_MS);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  #note(token: string, reply: Reply | undefined): void {
    if (reply === undefined) this.unanswered += 1;
    else if (reply.status === 200) this.#granted.set(token, (this.#granted.get(token) ?? 0) + 1);
    else {
      const told = `${reply.status} ${String(reply.body.reason)}`;
      this.refused.set(told, (this.refused.get(told) ?? 0) + 1);
    }
  }
}
