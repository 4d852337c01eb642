// The facts of a job as its controller states them. Claims and subjects are made from these and from nothing else.

/** A thing with a name people know and an id that is never reused. */
export interface NamedId {
  readonly name: string;
  readonly id: string;
}

/** Everything the issuer knows of a job. Strings are as given: non-empty, bounded, free of control characters. */
export interface JobFacts {
  readonly owner: NamedId;
  readonly pipeline: NamedId;
  readonly workflow: string;
  readonly workflowRef?: string;
  readonly workflowSha?: string;
  readonly job: string;
  readonly runId: string;
  readonly runNumber: string;
  readonly runAttempt: string;
  readonly ref: string;
  readonly refType: 'branch' | 'tag' | 'other';
  readonly refProtected: boolean;
  readonly sha: string;
  readonly baseRef?: string;
  readonly headRef?: string;
  readonly event: string;
  readonly actor: NamedId;
  readonly environment?: string;
  readonly environmentProtected: boolean;
  readonly runnerId: string;
  readonly runnerEnvironment: string;
  /** The change comes from outside the pipeline's own repository. */
  readonly fork: boolean;
  /** The pipeline the change comes from, for forks. */
  readonly headPipelineId?: string;
  readonly trigger?: string;
  /** A person is attached to the job (debug shell). */
  readonly interactive: boolean;
  /** Started by a person on their own machine; its subject begins with `local:`. */
  readonly local: boolean;
  /** Claims under the controller's own prefix. */
  readonly extra: Readonly<Record<string, string>>;
  /** Claim names to repeat as AWS session tags. */
  readonly awsSessionTags: readonly string[];
}
