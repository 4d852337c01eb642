import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUSH, subjectFacts } from '../../../test/fakes/job-facts.ts';
import { JobpassError } from '../core/errors.ts';
import { type Claims, isJsonObject } from '../core/json.ts';
import { identityClaims } from './claims.ts';
import type { JobFacts } from './facts.ts';
import { CLAIM_NAMES, isReservedClaim, type ProfileName } from './profile.ts';
import { subjectOf } from './subject.ts';

const FULL: JobFacts = {
  ...PUSH,
  workflowRef: 'acme/web/.ci/release.yaml@refs/heads/main',
  workflowSha: '5cf2',
  baseRef: 'main',
  headRef: 'feature',
  environment: 'production',
  environmentProtected: true,
  headPipelineId: '8',
  trigger: 'manual',
  extra: { 'acme.example/team': 'red' },
  awsSessionTags: ['pipeline_id', 'acme.example/team'],
};

const claims = (facts: JobFacts, profile: ProfileName = 'jobpass'): Claims =>
  identityClaims(facts, { profile, jobId: 'J1', deadline: 1_800_000_000 });

const code = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof JobpassError ? error.code : 'other';
  }
};

describe('claims under our own names', () => {
  it('publishes every fact as a string', () => {
    expect(claims(FULL)).toEqual({
      sub: 'owner:acme@42:pipeline:web@7:environment:production',
      sub127: 'owner:acme@42:pipeline:web@7:environment:production',
      owner: 'acme',
      owner_id: '42',
      pipeline: 'web',
      pipeline_id: '7',
      workflow: 'release',
      workflow_ref: 'acme/web/.ci/release.yaml@refs/heads/main',
      workflow_sha: '5cf2',
      run_id: '1001',
      run_number: '12',
      run_attempt: '1',
      job: 'publish',
      job_id: 'J1',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      ref_protected: 'true',
      sha: '4be1f0c',
      base_ref: 'main',
      head_ref: 'feature',
      event: 'push',
      actor: 'ada',
      actor_id: '9',
      environment: 'production',
      environment_protected: 'true',
      runner_id: 'r1',
      runner_environment: 'self-hosted',
      fork: 'false',
      head_pipeline_id: '8',
      trigger: 'manual',
      interactive: 'false',
      job_deadline: '1800000000',
      'acme.example/team': 'red',
      'https://aws.amazon.com/tags': { principal_tags: { pipeline_id: ['7'], 'acme.example/team': ['red'] } },
    });
  });

  it('leaves out what there is no fact for', () => {
    const names = Object.keys(claims(PUSH));
    for (const absent of [
      'workflow_ref',
      'workflow_sha',
      'base_ref',
      'head_ref',
      'environment',
      'environment_protected',
    ]) {
      expect(names).not.toContain(absent);
    }
    for (const absent of ['head_pipeline_id', 'trigger', 'https://aws.amazon.com/tags'])
      expect(names).not.toContain(absent);
  });

  it('gives forks neither environment nor protected flags, whatever the facts say', () => {
    const names = Object.keys(claims({ ...FULL, fork: true }));
    expect(names).toContain('ref');
    for (const absent of ['environment', 'environment_protected', 'ref_protected']) expect(names).not.toContain(absent);
    expect(claims({ ...FULL, fork: true })).toMatchObject({ fork: 'true', head_pipeline_id: '8' });
  });

  it('gives local jobs runner_environment=local and no true flag', () => {
    expect(claims({ ...FULL, local: true })).toMatchObject({
      sub: 'local:owner:acme@42:pipeline:web@7:environment:production',
      runner_environment: 'local',
      ref_protected: 'false',
      environment_protected: 'false',
      environment: 'production',
    });
  });

  it('never calls an absent environment protected', () => {
    expect(Object.keys(claims({ ...PUSH, environmentProtected: true }))).not.toContain('environment_protected');
  });
});

describe("claims under GitHub's names", () => {
  it('publishes the same facts, and what an STS needs to bind to the job', () => {
    expect(claims(FULL, 'github')).toEqual({
      sub: 'repo:acme@42/web@7:environment:production',
      sub127: 'repo:acme@42/web@7:environment:production',
      repository_owner: 'acme',
      repository_owner_id: '42',
      repository: 'acme/web',
      repository_id: '7',
      workflow: 'release',
      workflow_ref: 'acme/web/.ci/release.yaml@refs/heads/main',
      workflow_sha: '5cf2',
      run_id: '1001',
      run_number: '12',
      run_attempt: '1',
      job_id: 'J1',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      ref_protected: 'true',
      sha: '4be1f0c',
      base_ref: 'main',
      head_ref: 'feature',
      event_name: 'push',
      actor: 'ada',
      actor_id: '9',
      environment: 'production',
      runner_environment: 'self-hosted',
      fork: 'false',
      job_deadline: '1800000000',
      'acme.example/team': 'red',
      'https://aws.amazon.com/tags': { principal_tags: { 'acme.example/team': ['red'] } },
    });
  });

  it('keeps owner and pipeline apart in repository', () => {
    const nested = claims({ ...PUSH, owner: { name: 'a/b', id: '1' }, pipeline: { name: 'c', id: '2' } }, 'github');
    const other = claims({ ...PUSH, owner: { name: 'a', id: '1' }, pipeline: { name: 'b/c', id: '2' } }, 'github');
    const literal = claims({ ...PUSH, owner: { name: 'a%2Fb', id: '1' }, pipeline: { name: 'c', id: '2' } }, 'github');
    expect([nested.repository, other.repository, literal.repository]).toEqual(['a%2Fb/c', 'a/b/c', 'a%252Fb/c']);
  });
});

describe('AWS session tags', () => {
  it('are made only of claims that are in the token', () => {
    const asked = {
      ...PUSH,
      awsSessionTags: ['owner_id', 'environment', 'no_such', 'owner_id', 'toString', '__proto__'],
    };
    expect(claims(asked)['https://aws.amazon.com/tags']).toEqual({ principal_tags: { owner_id: ['42'] } });
    expect(Object.keys(claims({ ...PUSH, awsSessionTags: ['no_such'] }))).not.toContain('https://aws.amazon.com/tags');
  });

  it('of a fork never name an environment', () => {
    const fork = { ...FULL, fork: true, awsSessionTags: ['environment', 'ref_protected', 'fork'] };
    expect(claims(fork)['https://aws.amazon.com/tags']).toEqual({ principal_tags: { fork: ['true'] } });
  });
});

describe('what the issuer should have refused', () => {
  it.each(['sub', 'iss', 'aud', 'environment', 'repository', 'sub127', 'https://aws.amazon.com/tags', 'ref_protected'])(
    'an extra claim named %s is never issued',
    (name) => {
      expect(isReservedClaim(name)).toBe(true);
      expect(code(() => claims({ ...PUSH, fork: true, extra: { [name]: 'production' } }))).toBe('ERR_FACTS_UNCHECKED');
    },
  );

  it('a job without a possible subject gets no claims', () => {
    expect(code(() => claims({ ...PUSH, ref: '' }))).toBe('ERR_FACTS_UNCHECKED');
    expect(code(() => claims(PUSH))).toBe('none');
  });

  it('an ordinary extra claim is not reserved', () => {
    expect(isReservedClaim('acme.example/team')).toBe(false);
  });
});

describe('properties', () => {
  it('every claim is a named one and a string', () => {
    fc.assert(
      fc.property(subjectFacts, fc.constantFrom<ProfileName>('jobpass', 'github'), (facts, profile) => {
        fc.pre(subjectOf(facts, profile).ok);
        for (const [name, value] of Object.entries(claims({ ...facts, awsSessionTags: ['sub'] }, profile))) {
          expect(CLAIM_NAMES[profile]).toContain(name);
          expect(typeof value === 'string' || (name === 'https://aws.amazon.com/tags' && isJsonObject(value))).toBe(
            true,
          );
        }
      }),
    );
  });

  it('a fork never has more claims of protection than none', () => {
    fc.assert(
      fc.property(subjectFacts, fc.boolean(), (facts, protectedFlag) => {
        const fork = { ...facts, fork: true, refProtected: protectedFlag, environmentProtected: protectedFlag };
        fc.pre(subjectOf(fork, 'jobpass').ok);
        const names = Object.keys(claims(fork));
        expect(names.filter((name) => name.startsWith('environment') || name.endsWith('_protected'))).toEqual([]);
      }),
    );
  });

  it('claims_supported lists each name once', () => {
    for (const names of Object.values(CLAIM_NAMES)) expect(new Set(names).size).toBe(names.length);
  });
});
