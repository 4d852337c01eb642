// Our own issuer, under both of its claim profiles: facts from the design, sections 5 and 6. Data only.
import type { EventParameter, EventTemplate, Provider, ProviderClaim } from './provider.ts';

const REGISTERED: Readonly<Record<string, ProviderClaim>> = {
  iss: { immutable: true, setBy: 'provider', example: 'https://ci.example.com' },
  aud: {
    immutable: false,
    setBy: 'anyone',
    example: 'https://sts.example.com',
    note: 'one, of those the controller allows',
  },
  sub: {
    immutable: false,
    setBy: 'anyone',
    example: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
    note: 'its first parts are the controller’s; a ref in it is whatever was pushed',
  },
  sub127: { immutable: false, setBy: 'anyone', example: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main' },
  jti: { immutable: true, setBy: 'provider', example: 'E7Q2K40KQZ7HT' },
  iat: { immutable: true, setBy: 'provider', example: 1795403647 },
  nbf: { immutable: true, setBy: 'provider', example: 1795403647 },
  exp: { immutable: true, setBy: 'provider', example: 1795404247 },
};

/** The facts that both profiles publish under one name. */
const SHARED: Readonly<Record<string, ProviderClaim>> = {
  workflow: { immutable: false, setBy: 'anyone', example: 'release' },
  workflow_ref: {
    immutable: false,
    setBy: 'anyone',
    example: 'ci/release.yaml@refs/heads/main',
    when: 'the controller says it',
  },
  workflow_sha: { immutable: true, setBy: 'anyone', example: '4be1f0c', when: 'the controller says it' },
  run_id: { immutable: true, setBy: 'provider', example: '1001' },
  run_number: { immutable: false, setBy: 'provider', example: '12' },
  run_attempt: { immutable: false, setBy: 'provider', example: '1' },
  job_id: { immutable: true, setBy: 'provider', example: 'J7Q2K40KQZ7HT' },
  job_deadline: { immutable: true, setBy: 'provider', example: '1795407247' },
  ref: { immutable: false, setBy: 'anyone', example: 'refs/heads/main' },
  ref_type: { immutable: false, setBy: 'anyone', example: 'branch' },
  ref_protected: { immutable: false, setBy: 'owner', example: 'true', when: 'the job is not from a fork' },
  sha: { immutable: true, setBy: 'anyone', example: '4be1f0c' },
  base_ref: { immutable: false, setBy: 'anyone', example: 'refs/heads/main', when: 'a change started it' },
  head_ref: { immutable: false, setBy: 'anyone', example: 'refs/heads/feature', when: 'a change started it' },
  actor: { immutable: false, setBy: 'anyone', example: 'ada' },
  actor_id: { immutable: true, setBy: 'provider', example: '9' },
  environment: {
    immutable: false,
    setBy: 'anyone',
    example: 'production',
    when: 'the job names an environment and is not from a fork',
    note: 'whoever writes the pipeline names one; the controller decides whether it is guarded',
  },
  runner_environment: {
    immutable: false,
    setBy: 'provider',
    example: 'self-hosted',
    note: 'local: a person’s own machine; no rule lets it in unless it names this claim',
  },
  fork: {
    immutable: false,
    setBy: 'provider',
    example: 'false',
    note: 'no rule lets "true" in unless it names this claim',
  },
  'https://aws.amazon.com/tags': {
    immutable: false,
    setBy: 'provider',
    example: { principal_tags: { pipeline_id: ['7'] } },
    when: 'the controller asks for session tags',
  },
};

const OWNER: ProviderClaim = {
  immutable: false,
  setBy: 'owner',
  example: 'acme',
  note: 'a freed name can be taken by another',
};
const OWNER_ID: ProviderClaim = { immutable: true, setBy: 'provider', example: '42' };
const PIPELINE_ID: ProviderClaim = { immutable: true, setBy: 'provider', example: '7' };
const EVENT: ProviderClaim = { immutable: false, setBy: 'anyone', example: 'push' };

const PARAMETERS: Readonly<Record<string, EventParameter>> = {
  issuer: { value: 'https://ci.example.com' },
  owner: { value: 'acme' },
  owner_id: { value: '42' },
  pipeline: { value: 'web' },
  pipeline_id: { value: '7' },
  audience: { value: 'https://sts.example.com' },
  branch: { value: 'main' },
  tag: { value: 'v1.2.3' },
  ref: { value: 'refs/heads/{branch}' },
  ref_type: { value: 'branch', oneOf: ['branch', 'tag', 'other'] },
  ref_protected: { value: 'true', oneOf: ['true', 'false'] },
  base_ref: { value: null },
  head_ref: { value: null },
  environment: { value: null },
  environment_protected: { value: 'true', oneOf: ['true', 'false'] },
  workflow: { value: 'release' },
  workflow_ref: { value: null },
  workflow_sha: { value: null },
  job: { value: 'publish' },
  job_id: { value: 'J7Q2K40KQZ7HT' },
  run_id: { value: '1001' },
  run_number: { value: '12' },
  run_attempt: { value: '1' },
  sha: { value: '4be1f0c2d9e84d53a1c7b6f0e3a2d1c4b5f60718' },
  event: { value: 'push' },
  actor: { value: 'ada' },
  actor_id: { value: '9' },
  runner_id: { value: 'runner-1' },
  runner_environment: { value: 'self-hosted' },
  fork: { value: 'false', oneOf: ['true', 'false'] },
  head_pipeline_id: { value: null },
  trigger: { value: null },
  interactive: { value: 'false', oneOf: ['true', 'false'] },
  local: { value: 'false', oneOf: ['true', 'false'] },
};

const CHANGE = {
  ref: 'refs/pull/5/head',
  ref_type: 'other',
  ref_protected: 'false',
  event: 'pull_request',
  base_ref: 'refs/heads/main',
  head_ref: 'refs/heads/feature',
};

const events = (provider: string): readonly EventTemplate[] => [
  { name: `${provider} push`, argument: 'branch' },
  {
    name: `${provider} tag`,
    argument: 'tag',
    parameters: { ref: 'refs/tags/{tag}', ref_type: 'tag', ref_protected: 'false' },
  },
  { name: `${provider} environment`, argument: 'environment', parameters: { environment: 'production' } },
  { name: `${provider} pull request`, parameters: CHANGE },
  {
    name: `${provider} fork pull request`,
    alias: `${provider} pull request from a fork`,
    note: 'an issuer gives such jobs a token only when its `forks` section names the audience',
    parameters: { ...CHANGE, fork: 'true', head_pipeline_id: '667' },
  },
  {
    name: `${provider} local`,
    note: 'started by a person on their own machine: it says of itself what it likes',
    parameters: { local: 'true', event: 'manual', runner_environment: 'local' },
  },
];

const shared = {
  issuer: { usual: '{issuer}', pattern: null, form: 'whatever URL the operator gives it' },
  parameters: PARAMETERS,
  // Design, section 6: ten minutes unless set.
  lifetimeSeconds: 600,
  backdatedSeconds: 0,
} as const;

export const JOBPASS: Provider = {
  ...shared,
  name: 'jobpass',
  title: 'Jobpass',
  claims: {
    ...REGISTERED,
    ...SHARED,
    owner: OWNER,
    owner_id: OWNER_ID,
    pipeline: { ...OWNER, example: 'web' },
    pipeline_id: PIPELINE_ID,
    job: { immutable: false, setBy: 'anyone', example: 'publish' },
    event: EVENT,
    environment_protected: {
      immutable: false,
      setBy: 'owner',
      example: 'true',
      when: 'the job names an environment and is not from a fork',
    },
    runner_id: { immutable: true, setBy: 'provider', example: 'runner-1' },
    head_pipeline_id: { immutable: true, setBy: 'provider', example: '667', when: 'the job is from a fork' },
    trigger: { immutable: false, setBy: 'provider', example: 'schedule', when: 'the controller says it' },
    interactive: { immutable: false, setBy: 'provider', example: 'false' },
  },
  token: { profile: 'jobpass' },
  events: events('jobpass'),
};

export const JOBPASS_GITHUB: Provider = {
  ...shared,
  name: 'jobpass-github',
  title: 'Jobpass with GitHub’s names',
  claims: {
    ...REGISTERED,
    sub: { immutable: false, setBy: 'anyone', example: 'repo:acme@42/web@7:ref:refs/heads/main' },
    ...SHARED,
    repository_owner: OWNER,
    repository_owner_id: OWNER_ID,
    repository: { ...OWNER, example: 'acme/web' },
    repository_id: PIPELINE_ID,
    event_name: EVENT,
  },
  token: { profile: 'github' },
  events: events('jobpass-github'),
};
