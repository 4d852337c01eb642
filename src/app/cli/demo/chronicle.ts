// Gathers what happens to each job and asks the STS, as its operator, what it decided. One story per job, in the order they end.
import type { DecisionRecord } from '../../../base/audit/record.ts';
import type { RunEvent } from '../../../runner/ci/events.ts';
import { askOperator, credentialIn } from '../operator.ts';
import { readDecisions } from '../read-decision.ts';
import type { Stage } from './stage.ts';
import type { JobStory } from './story.ts';

type Notes = Omit<JobStory, 'result' | 'decision'> & { readonly jobId: string };

export class Chronicle {
  readonly #stage: Stage;
  readonly #tell: (story: JobStory) => void;
  readonly #notes = new Map<string, Notes>();
  readonly #output = new Map<string, string[]>();
  readonly #made = new Map<string, { file: string; bytes: number }[]>();
  /** Stories are told one after another, though asking takes a moment. */
  #telling: Promise<void> = Promise.resolve();

  constructor(stage: Stage, tell: (story: JobStory) => void) {
    this.#stage = stage;
    this.#tell = tell;
  }

  /** Takes one event of a run. */
  readonly report = (event: RunEvent): void => {
    if (event.kind === 'job_started') this.#started(event);
    else if (event.kind === 'output') append(this.#output, event.job, event.line);
    else if (event.kind === 'output_made') append(this.#made, event.job, { file: event.file, bytes: event.bytes });
    else if (event.kind === 'job_finished') this.#telling = this.#telling.then(() => this.#finished(event.result));
  };

  /** Resolves when every story so far is told. */
  told(): Promise<void> {
    return this.#telling;
  }

  #started(event: Extract<RunEvent, { kind: 'job_started' }>): void {
    this.#notes.set(event.job.name, {
      jobId: event.jobId,
      deadline: event.deadline,
      startedAt: Math.floor(Date.now() / 1000),
      identity: event.job.audiences.length > 0,
      output: [],
      made: [],
    });
  }

  async #finished(result: JobStory['result']): Promise<void> {
    const notes = this.#notes.get(result.job);
    const decision = notes?.identity === true ? await this.#decisionOn(notes.jobId) : null;
    this.#tell({
      result,
      deadline: notes?.deadline ?? null,
      startedAt: notes?.startedAt ?? 0,
      identity: notes?.identity ?? false,
      output: this.#output.get(result.job) ?? [],
      made: this.#made.get(result.job) ?? [],
      decision,
    });
  }

  async #decisionOn(jobId: string): Promise<DecisionRecord | null> {
    const credential = credentialIn(this.#stage.operatorFile);
    const { body } = await askOperator(credential, '/admin/v1/decisions?limit=20');
    return readDecisions(body).find((record) => record.jobId === jobId) ?? null;
  }
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
