// A gateway's feed client with the STS that it polls, both in memory: a test says when it polls.
import { failure } from '../../src/base/core/reasons.ts';
import { err, ok } from '../../src/base/core/result.ts';
import type { Clock } from '../../src/base/ports/clock.ts';
import { FeedClient } from '../../src/gateway/feed-client.ts';
import { FeedState } from '../../src/gateway/feed-state.ts';
import type { GatewaySettings } from '../../src/gateway/settings.ts';
import { FeedSts, gatewaySettings } from './feed-sts.ts';
import { FrozenClock } from './frozen-clock.ts';
import { MemoryLog } from './memory-log.ts';

/** What every `wrapped` group key turns out to be. */
export const GROUP_KEY = new Uint8Array(32).fill(7);
/** Of no job: the age of the feed alone counts. */
export const SESSION = { jobBound: false, jobIssuer: '' };

/** A feed client, what it knows, and whom it asks. */
export class FeedWorld {
  readonly clock = new FrozenClock();
  readonly sts = new FeedSts(this.clock);
  readonly log = new MemoryLog();
  readonly state: FeedState;
  readonly feed: FeedClient;
  messages = 0;
  unwraps = true;

  constructor(settings: GatewaySettings = gatewaySettings(), gatewayClock: Clock = this.clock) {
    this.state = new FeedState(gatewayClock);
    this.feed = new FeedClient({
      settings,
      key: {
        unwrap: async (jwe) =>
          this.unwraps && jwe === 'wrapped' ? ok(GROUP_KEY) : err(failure('key_unknown', 'another key')),
      },
      fetch: (request) => this.sts.fetch(request),
      clock: gatewayClock,
      random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
      log: this.log,
      state: this.state,
      onMessage: () => {
        this.messages += 1;
      },
    });
  }

  get fresh(): boolean {
    return this.state.stalenessMs(SESSION) <= 10_000;
  }

  async reasonOfPoll(): Promise<string> {
    const polled = await this.feed.poll();
    return polled.ok ? 'taken' : polled.error.reason;
  }
}
