// Presents single-use tokens many times at once, and counts what was granted of each.
import { exchangeAt, type Reply } from './calls.ts';
import { count } from './counts.ts';
import { breathe } from './exchange-load.ts';

/** At most so many calls are under way. */
const LANES = count(48, 96);
/** A server that died is coming back, and one that is busy has enough to do. */
const BREATH_MS = 20;

/** What became of tokens that were presented again and again. */
export class Presentations {
  readonly #granted: Map<string, number>;
  /** Answers that said that the token was used. */
  repeats = 0;
  /** Calls of which nobody knows what they did: cut off, or answered with a 503. */
  unknown = 0;
  /** Status and reason of every answer that is neither, and how often. */
  readonly others = new Map<string, number>();

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
        const reply = await exchangeAt(sts, token, { role: 'once' });
        this.#note(token, reply);
        if (reply?.status !== 200) await breathe(BREATH_MS);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  #note(token: string, reply: Reply | undefined): void {
    if (reply === undefined || reply.status === 503) this.unknown += 1;
    else if (reply.body.reason === 'token_invalid') this.repeats += 1;
    else if (reply.status === 200) this.#granted.set(token, (this.#granted.get(token) ?? 0) + 1);
    else {
      const told = `${reply.status} ${String(reply.body.reason)}`;
      this.others.set(told, (this.others.get(told) ?? 0) + 1);
    }
  }
}
