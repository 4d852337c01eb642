// A server that runs: what the commands need to know of it.

export interface RunningServer {
  readonly name: string;
  readonly url: string;
  /** Whether it could answer a request now. */
  ready(): Promise<boolean>;
  /** From now on it is not ready; it goes on answering. True: somebody watches that and needs a moment to see it. */
  drain(): boolean;
  /** Reads again what may change while it runs: certificates. */
  reload(): void;
  /** Stops taking requests, lets the running ones finish for a moment, and releases everything. */
  close(): Promise<void>;
}
