// How the runner's commands fail, as values. It imports nothing, because it stands in the way of every `jobpass token`.

/**
 * `usage`: called in a place or a way that cannot work. `denied`: the other side said no. `unreachable`: no usable answer came,
 * a later try may succeed. `failed`: everything else.
 */
type RunnerFailureKind = 'failed' | 'usage' | 'denied' | 'unreachable';

/** Who was called, as messages name it. */
export type Peer = 'the issuer' | 'the STS';

/** An expected failure, for the person at the terminal. Neither text holds a token or a secret. */
export interface RunnerFailure {
  readonly kind: RunnerFailureKind;
  readonly message: string;
  /** The next step, where there is one. */
  readonly hint?: string;
  /** HTTP status of the answer, when one came. */
  readonly status?: number;
  /** The safe reason that the other side gave, or its OAuth error code. */
  readonly reason?: string;
  /** What the operator needs to find the refusal. */
  readonly decisionId?: string;
  /** Who refused: only the STS can be asked about its decisions, an issuer writes them to its log. */
  readonly refusedBy?: Peer;
}

const EXIT_CODES: Readonly<Record<RunnerFailureKind, number>> = { failed: 1, usage: 2, denied: 3, unreachable: 4 };

/** The documented exit code of a failure (design, section 5). */
export const exitCodeOf = (failure: RunnerFailure): number => EXIT_CODES[failure.kind];
