import { describe, expect, it, test } from 'vitest';
import { CLAIM_NAMES } from '../identity/profile.ts';
import { claimOfProvider, EVENT_NAMES, findEvent, PROVIDERS, providerOf } from './catalogue.ts';
import { type EventOptions, eventToken } from './event-token.ts';

const NOW = 1_795_403_647;

const tokenOf = (name: string, options: Partial<EventOptions> = {}) => {
  const made = eventToken(name, { with: {}, now: NOW, ...options });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  if (made.value.token === null) throw new Error('no token');
  return made.value.token;
};
const claimsOf = (name: string, parameters: Readonly<Record<string, string>> = {}) =>
  tokenOf(name, { with: parameters }).claims;
const problemsOf = (name: string, parameters: Readonly<Record<string, string>> = {}) => {
  const made = eventToken(name, { with: parameters, now: NOW });
  return made.ok ? [] : made.error;
};

describe('the catalogue', () => {
  test('holds six providers, each with claims and events', () => {
    expect(PROVIDERS.map(({ name }) => name)).toEqual([
      'github',
      'gitlab',
      'buildkite',
      'circleci',
      'jobpass',
      'jobpass-github',
    ]);
    for (const { events, claims } of PROVIDERS) {
      expect(events.length).toBeGreaterThanOrEqual(6);
      expect(Object.keys(claims).length).toBeGreaterThanOrEqual(14);
    }
  });

  test('names each event once', () => {
    expect(new Set(EVENT_NAMES).size).toBe(EVENT_NAMES.length);
  });

  test('says of our own claims exactly what our issuer publishes', () => {
    for (const provider of PROVIDERS)
      if ('profile' in provider.token)
        expect(Object.keys(provider.claims).toSorted()).toEqual(CLAIM_NAMES[provider.token.profile].toSorted());
  });

  test('never calls a name that can be freed and taken again immutable', () => {
    for (const { name, claims } of PROVIDERS)
      for (const claim of [
        'repository',
        'repository_owner',
        'project_path',
        'namespace_path',
        'pipeline_slug',
        'owner',
      ])
        if (Object.hasOwn(claims, claim)) expect(claims[claim]?.immutable, `${name} ${claim}`).toBe(false);
  });

  test.each([
    ['https://token.actions.githubusercontent.com', 'github'],
    ['https://token.actions.githubusercontent.com/acme-corp', 'github'],
    ['https://token.actions.acme.ghe.com', 'github'],
    ['https://github.acme.example/_services/token', 'github'],
    ['https://gitlab.com', 'gitlab'],
    ['https://agent.buildkite.com', 'buildkite'],
    ['https://oidc.circleci.com', 'circleci'],
    ['https://oidc.circleci.com/org/7c1e8a52-1a6f-4f43-8a44-2f5d9c0b0042', 'circleci'],
    ['https://token.actions.githubusercontent.com.evil.example', undefined],
    ['http://gitlab.com', undefined],
    ['https://gitlab.com/', undefined],
    ['https://gitlab.acme.example', undefined],
    ['https://ci.example.com', undefined],
  ])('%s is %s', (issuer, name) => {
    expect(providerOf(issuer)?.name).toBe(name);
  });

  test('finds a claim by its name or its family', () => {
    const [github] = PROVIDERS;
    if (github === undefined) throw new Error('no provider');
    expect(claimOfProvider(github, 'repository_id')).toMatchObject({ immutable: true, setBy: 'provider' });
    expect(claimOfProvider(github, 'repo_property_tier')).toMatchObject({ setBy: 'owner' });
    expect(claimOfProvider(github, 'constructor')).toBeUndefined();
  });
});

describe('every event', () => {
  const named = PROVIDERS.flatMap((provider) =>
    provider.events.map((event) => ({ name: event.name, provider, event })),
  );

  it.each(named.filter(({ event }) => event.noToken === undefined))(
    '$name makes claims that its provider is known for, of the kinds that it sends',
    ({ name, provider }) => {
      const { issuer, claims } = tokenOf(name);
      expect(claims.iss).toBe(issuer);
      for (const [claim, value] of Object.entries(claims)) {
        const known = claimOfProvider(provider, claim);
        expect(known, claim).toBeDefined();
        expect(typeof value, claim).toBe(typeof known?.example);
        expect(JSON.stringify(value), claim).not.toContain('{');
      }
      for (const [claim, { when }] of Object.entries(provider.claims))
        if (when === undefined) expect(claims, claim).toHaveProperty([claim]);
      if (provider.issuer.pattern !== null) expect(issuer).toMatch(provider.issuer.pattern);
    },
  );

  it.each(named)('$name changes only parameters that its provider has', ({ provider, event }) => {
    for (const name of [
      ...Object.keys(event.parameters ?? {}),
      ...(event.argument === undefined ? [] : [event.argument]),
    ])
      expect(Object.keys(provider.parameters)).toContain(name);
  });
});

describe('an event', () => {
  test('is found with its argument, and the longer exact name goes first', () => {
    expect(findEvent('github tag v2')).toMatchObject({ argument: 'v2', event: { name: 'github tag' } });
    expect(findEvent('github pull request from a fork')).toMatchObject({ event: { noToken: expect.any(String) } });
    expect(findEvent('github push ')).toBeUndefined();
    expect(findEvent('github push two words')).toBeUndefined();
  });

  test('of GitHub writes sub with names, or with names and ids', () => {
    expect(claimsOf('github push main').sub).toBe('repo:acme/web:ref:refs/heads/main');
    expect(claimsOf('github push main', { subject: 'immutable' }).sub).toBe('repo:acme@42/web@7:ref:refs/heads/main');
    expect(claimsOf('github pull request').sub).toBe('repo:acme/web:pull_request');
    expect(claimsOf('github tag v1.2.3').sub).toBe('repo:acme/web:ref:refs/tags/v1.2.3');
  });

  test('of GitHub puts the environment before the ref and before the pull request, its colons encoded', () => {
    expect(claimsOf('github push main', { environment: 'eu:west' })).toMatchObject({
      sub: 'repo:acme/web:environment:eu%3Awest',
      environment: 'eu:west',
      ref: 'refs/heads/main',
    });
    expect(claimsOf('github pull request', { environment: 'preview' }).sub).toBe('repo:acme/web:environment:preview');
  });

  test('of GitHub from a fork has no token at all', () => {
    const made = eventToken('github pull request from a fork', { with: {}, now: NOW });
    expect(made).toMatchObject({ ok: true, value: { token: null } });
  });

  test('of GitLab from a fork names the fork as the project and the target as the job’s', () => {
    expect(claimsOf('gitlab merge request from a fork')).toMatchObject({
      sub: 'project_path:mallory/web:ref_type:branch:ref:feature',
      project_path: 'mallory/web',
      job_project_path: 'acme/web',
      ref_protected: 'false',
    });
  });

  test('of Buildkite from a fork looks like one of our own', () => {
    expect(claimsOf('buildkite pull request from a fork')).toEqual(claimsOf('buildkite push main'));
  });

  test('of Buildkite can have one immutable id as its subject, once that id is said', () => {
    expect(claimsOf('buildkite push', { subject: 'pipeline_id', pipeline_id: 'p-7' })).toMatchObject({
      sub: 'p-7',
      pipeline_id: 'p-7',
    });
    expect(problemsOf('buildkite push', { subject: 'pipeline_id' })).toMatchObject([{ parameter: 'subject' }]);
  });

  test('of CircleCI from a fork differs in where the code came from alone', () => {
    const fork = claimsOf('circleci pull request from a fork', { branch: 'main' });
    const own = claimsOf('circleci push main');
    expect({ ...fork, 'oidc.circleci.com/vcs-origin': 'github.com/acme/web' }).toEqual(own);
    expect(claimsOf('circleci custom webhook', { subject: 'v2' }).sub).toMatch(/user\/[0-9a-f-]+$/);
  });

  test('of our own issuer obeys its rules for forks and local jobs', () => {
    const fork = claimsOf('jobpass fork pull request', { environment: 'production' });
    expect(fork).toMatchObject({ fork: 'true', sub: expect.stringMatching(/^fork:owner:acme@42/) });
    expect(fork).not.toHaveProperty('environment');
    expect(fork).not.toHaveProperty('ref_protected');
    expect(claimsOf('jobpass local')).toMatchObject({
      runner_environment: 'local',
      ref_protected: 'false',
      sub: expect.stringMatching(/^local:/),
    });
    expect(claimsOf('jobpass-github push main').sub).toBe('repo:acme@42/web@7:ref:refs/heads/main');
  });

  test('lets its parameters be overridden, taken literally', () => {
    expect(claimsOf('github push main', { owner: '{repository}', repository: 'shop' })).toMatchObject({
      repository: '{repository}/shop',
    });
    expect(claimsOf('gitlab push', { ref: 'next' })).toMatchObject({ ref_path: 'refs/heads/next' });
    expect(tokenOf('jobpass push', { issuer: 'https://ci.acme.example' })).toMatchObject({
      issuer: 'https://ci.acme.example',
      claims: { iss: 'https://ci.acme.example' },
    });
  });

  test('is issued now and lives as long as its provider lets it', () => {
    expect(claimsOf('gitlab push')).toMatchObject({ iat: NOW, nbf: NOW - 5, exp: NOW + 3600 });
    expect(claimsOf('circleci push')).not.toHaveProperty('nbf');
  });

  test.each([
    ['github pusch main', {}, 'no event has this name', 'github push'],
    ['azure push', {}, 'no event has this name', 'github …, gitlab …, buildkite …, circleci …, jobpass …'],
    ['github push', { repositry: 'web' }, 'events of GitHub Actions have no parameter repositry', 'repository'],
    ['github push', { repository: 'acme/web' }, 'wanted one name, without a slash', expect.any(String)],
    ['github push', { subject: 'old' }, 'wanted names or immutable', undefined],
    ['github push', { constructor: 'x' }, expect.stringContaining('no parameter'), expect.any(String)],
    ['jobpass push', { fork: 'yes' }, 'wanted true or false', undefined],
    ['jobpass push', { owner: 'a'.repeat(300) }, expect.stringContaining('255'), undefined],
    ['jobpass push', { owner: '' }, expect.stringContaining('empty'), undefined],
  ])('%s with %j is refused', (name, parameters, message, hint) => {
    const [problem, ...others] = problemsOf(name, parameters as Record<string, string>);
    expect(others).toEqual([]);
    expect(problem?.message).toEqual(message);
    expect(problem?.hint).toEqual(hint);
  });
});
