// Claim profiles as data: which of our facts appears under which name, and how `sub` is put together from them.
// Nothing here computes; values.ts, subject.ts and claims.ts read these tables.

/** How an issuer names its claims; one profile per issuer URL. */
export type ProfileName = 'jobpass' | 'github';

/** The names of single-valued facts, as they are written in the design (section 6). */
export type FactName =
  | 'owner'
  | 'owner_id'
  | 'pipeline'
  | 'pipeline_id'
  | 'owner_and_pipeline'
  | 'workflow'
  | 'workflow_ref'
  | 'workflow_sha'
  | 'run_id'
  | 'run_number'
  | 'run_attempt'
  | 'job'
  | 'job_id'
  | 'ref'
  | 'ref_type'
  | 'ref_protected'
  | 'sha'
  | 'base_ref'
  | 'head_ref'
  | 'event'
  | 'actor'
  | 'actor_id'
  | 'environment'
  | 'environment_protected'
  | 'runner_id'
  | 'runner_environment'
  | 'fork'
  | 'head_pipeline_id'
  | 'trigger'
  | 'interactive'
  | 'job_deadline';

/** One way a subject may end. The first whose fact is there (and has the wanted value, if one is named) is taken. */
interface SubjectContext {
  readonly fact: FactName;
  readonly equals?: string;
  /** `{fact}` stands for the percent-encoded value. */
  readonly form: string;
}

export interface Profile {
  /** Fact → claim name. A fact without an entry is not published under this profile. */
  readonly claims: Readonly<Partial<Record<FactName, string>>>;
  /** Who: `{fact}` stands for the percent-encoded value. */
  readonly principal: string;
  /** Facts whose `/` is encoded too, because the form itself separates with it. */
  readonly slashEncoded: readonly FactName[];
  /** In order of precedence; the last one always holds. */
  readonly contexts: readonly SubjectContext[];
}

/** Put before every subject of the kind, outermost first, so that no prefix pattern of the pipeline can match it. */
export const LOCAL_PREFIX = 'local:';
export const FORK_PREFIX = 'fork:';

/** The AWS session tags claim (IAM user guide, "Passing session tags using AssumeRoleWithWebIdentity"). */
export const AWS_TAGS_CLAIM = 'https://aws.amazon.com/tags';

/** The subject in at most 127 bytes, under every profile. */
export const SHORT_SUBJECT_CLAIM = 'sub127';

/** RFC 7519 §4.1: set by whoever assembles the token, `sub` by this room; never by a controller. */
const REGISTERED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti'] as const;

const JOBPASS: Profile = {
  claims: {
    owner: 'owner',
    owner_id: 'owner_id',
    pipeline: 'pipeline',
    pipeline_id: 'pipeline_id',
    workflow: 'workflow',
    workflow_ref: 'workflow_ref',
    workflow_sha: 'workflow_sha',
    run_id: 'run_id',
    run_number: 'run_number',
    run_attempt: 'run_attempt',
    job: 'job',
    job_id: 'job_id',
    ref: 'ref',
    ref_type: 'ref_type',
    ref_protected: 'ref_protected',
    sha: 'sha',
    base_ref: 'base_ref',
    head_ref: 'head_ref',
    event: 'event',
    actor: 'actor',
    actor_id: 'actor_id',
    environment: 'environment',
    environment_protected: 'environment_protected',
    runner_id: 'runner_id',
    runner_environment: 'runner_environment',
    fork: 'fork',
    head_pipeline_id: 'head_pipeline_id',
    trigger: 'trigger',
    interactive: 'interactive',
    job_deadline: 'job_deadline',
  },
  principal: 'owner:{owner}@{owner_id}:pipeline:{pipeline}@{pipeline_id}',
  slashEncoded: [],
  contexts: [
    { fact: 'environment', form: 'environment:{environment}' },
    { fact: 'ref', form: 'ref:{ref}' },
  ],
};

/**
 * GitHub's names (docs.github.com, OpenID Connect reference) and its immutable subject. `job_id`, `fork` and
 * `job_deadline` are ours: without them an STS could not bind a session to the job. `job_workflow_ref` is left out:
 * no fact says which workflow file holds the job.
 */
const GITHUB: Profile = {
  claims: {
    owner: 'repository_owner',
    owner_id: 'repository_owner_id',
    owner_and_pipeline: 'repository',
    pipeline_id: 'repository_id',
    workflow: 'workflow',
    workflow_ref: 'workflow_ref',
    workflow_sha: 'workflow_sha',
    run_id: 'run_id',
    run_number: 'run_number',
    run_attempt: 'run_attempt',
    job_id: 'job_id',
    ref: 'ref',
    ref_type: 'ref_type',
    ref_protected: 'ref_protected',
    sha: 'sha',
    base_ref: 'base_ref',
    head_ref: 'head_ref',
    event: 'event_name',
    actor: 'actor',
    actor_id: 'actor_id',
    environment: 'environment',
    runner_environment: 'runner_environment',
    fork: 'fork',
    job_deadline: 'job_deadline',
  },
  principal: 'repo:{owner}@{owner_id}/{pipeline}@{pipeline_id}',
  // Without it owner id "1/2" with "r" and owner id "1" with "2/r" would be one subject.
  slashEncoded: ['owner_id'],
  contexts: [
    { fact: 'environment', form: 'environment:{environment}' },
    { fact: 'event', equals: 'pull_request', form: 'pull_request' },
    { fact: 'ref', form: 'ref:{ref}' },
  ],
};

export const PROFILES: Readonly<Record<ProfileName, Profile>> = { jobpass: JOBPASS, github: GITHUB };

const claimNames = (profile: Profile): readonly string[] => [
  ...REGISTERED_CLAIMS,
  SHORT_SUBJECT_CLAIM,
  ...Object.values(profile.claims),
  AWS_TAGS_CLAIM,
];

/** Every claim name a token of the profile may carry, apart from controllers' extra ones: `claims_supported`. */
export const CLAIM_NAMES: Readonly<Record<ProfileName, readonly string[]>> = {
  jobpass: claimNames(JOBPASS),
  github: claimNames(GITHUB),
};

const RESERVED: ReadonlySet<string> = new Set([...CLAIM_NAMES.jobpass, ...CLAIM_NAMES.github]);

/**
 * Whether a controller may never use `name` for an extra claim: it means something under some profile. An absent
 * claim counts too, or a fork could be given the `environment` that it must not have.
 */
export const isReservedClaim = (name: string): boolean => RESERVED.has(name);
