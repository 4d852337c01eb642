// A server that runs: what the commands need to know of it.

export interface RunningServer {
  readonly name: string;
  readonly url: string;
  /** Whether it could answer a request now. */
  ready(): Promise<boolean>;
  /** Stops taking requests, lets the running ones finish for a moment, and releases everything. */
  close(): Promise<void>;
}
