// What Ctrl-C does to a command: the first asks it to stop, the next ends the program at once. A command that has something to
// put in order first is spared once more.

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type StopSignal = (typeof SIGNALS)[number];

/** Where signals come from, and how the program ends itself: `process`, or a fake. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  readonly pid: number;
  kill(pid: number, signal: StopSignal): unknown;
}

/**
 * Aborts `signal` when the first SIGINT or SIGTERM comes. The next one, with our listeners gone, does what it does to any
 * program; with `spare` it only calls that, and the one after it ends the program.
 */
export function stopSignals(
  source: SignalSource,
  spare?: () => void,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const stopped = new AbortController();
  let heard = 0;
  const release = (): void => {
    for (const signal of SIGNALS) source.off(signal, listener);
  };
  const listener = (signal: StopSignal): void => {
    heard += 1;
    if (heard === 1) stopped.abort();
    else if (heard === 2 && spare !== undefined) spare();
    else {
      release();
      source.kill(source.pid, signal);
    }
  };
  for (const signal of SIGNALS) source.on(signal, listener);
  return { signal: stopped.signal, release };
}
