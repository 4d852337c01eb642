import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUSH, part, subjectFacts } from '../../../test/fakes/job-facts.ts';
import type { JobFacts } from './facts.ts';
import type { ProfileName } from './profile.ts';
import { encodePart, shortSubject, subjectOf } from './subject.ts';

const PROFILE_NAMES: readonly ProfileName[] = ['jobpass', 'github'];

function subject(facts: JobFacts, profile: ProfileName = 'jobpass'): string {
  const result = subjectOf(facts, profile);
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
}

const reason = (facts: JobFacts, profile: ProfileName = 'jobpass'): string => {
  const result = subjectOf(facts, profile);
  return result.ok ? 'ok' : result.error.reason;
};

const production: JobFacts = { ...PUSH, environment: 'production' };

describe('the default subject', () => {
  it('names owner and pipeline with their ids, and the ref', () => {
    expect(subject(PUSH)).toBe('owner:acme@42:pipeline:web@7:ref:refs/heads/main');
  });

  it('shows the environment instead of the ref', () => {
    expect(subject(production)).toBe('owner:acme@42:pipeline:web@7:environment:production');
  });

  it('begins with fork: for forks, whose environment never shows', () => {
    expect(subject({ ...production, fork: true })).toBe('fork:owner:acme@42:pipeline:web@7:ref:refs/heads/main');
  });

  it('begins with local: before anything else', () => {
    expect(subject({ ...production, local: true })).toBe('local:owner:acme@42:pipeline:web@7:environment:production');
    expect(subject({ ...PUSH, local: true, fork: true })).toBe(
      'local:fork:owner:acme@42:pipeline:web@7:ref:refs/heads/main',
    );
  });

  it('has no per-run part', () => {
    const again = { ...PUSH, runId: '2', runNumber: '2', runAttempt: '2', sha: 'f', job: 'other', workflow: 'other' };
    expect(subject(again)).toBe(subject(PUSH));
  });
});

describe("GitHub's subject", () => {
  it('has the immutable form, precedence environment > pull request > ref', () => {
    expect(subject(production, 'github')).toBe('repo:acme@42/web@7:environment:production');
    expect(subject({ ...PUSH, event: 'pull_request' }, 'github')).toBe('repo:acme@42/web@7:pull_request');
    expect(subject({ ...production, event: 'pull_request' }, 'github')).toBe(
      'repo:acme@42/web@7:environment:production',
    );
    expect(subject(PUSH, 'github')).toBe('repo:acme@42/web@7:ref:refs/heads/main');
  });

  it('begins with fork: and local: as ours does', () => {
    const fork = { ...production, event: 'pull_request', fork: true };
    expect(subject(fork, 'github')).toBe('fork:repo:acme@42/web@7:pull_request');
    expect(subject({ ...fork, local: true }, 'github')).toBe('local:fork:repo:acme@42/web@7:pull_request');
  });

  it('encodes a slash in the owner id, which would otherwise move the border', () => {
    const left = { ...PUSH, owner: { name: 'a', id: '1/2' }, pipeline: { name: 'r', id: '3' } };
    const right = { ...PUSH, owner: { name: 'a', id: '1' }, pipeline: { name: '2/r', id: '3' } };
    expect(subject(left, 'github')).toBe('repo:a@1%2F2/r@3:ref:refs/heads/main');
    expect(subject(right, 'github')).toBe('repo:a@1/2/r@3:ref:refs/heads/main');
  });
});

describe('encoding', () => {
  it('percent-encodes separators, the wildcard, the percent sign, controls and non-ASCII, and leaves the slash', () => {
    expect(encodePart('a/b.c-d_e f?')).toBe('a/b.c-d_e f?');
    expect(encodePart('%:@*')).toBe('%25%3A%40%2A');
    expect(encodePart('\u0000\n\u001f\u007f')).toBe('%00%0A%1F%7F');
    expect(encodePart('\u0085é€💥')).toBe('%C2%85%C3%A9%E2%82%AC%F0%9F%92%A5');
  });

  it('is injective and leaves printable ASCII without separators', () => {
    fc.assert(
      fc.property(part, (value) => {
        const encoded = encodePart(value);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(encoded).not.toMatch(/[:@*]/);
        expect(decodeURIComponent(encoded)).toBe(value);
      }),
    );
  });
});

describe('what makes no subject', () => {
  it.each([
    ['an empty owner id', { ...PUSH, owner: { name: 'acme', id: '' } }],
    ['an empty pipeline name', { ...PUSH, pipeline: { name: '', id: '7' } }],
    ['an empty environment', { ...PUSH, environment: '' }],
    ['an empty ref', { ...PUSH, ref: '' }],
    ['a lone surrogate in a name', { ...PUSH, owner: { name: 'ac\ud800me', id: '42' } }],
    ['a lone surrogate in a ref', { ...PUSH, ref: 'refs/heads/\udc00' }],
  ])('%s is facts_invalid', (_, facts) => {
    expect(PROFILE_NAMES.map((profile) => reason(facts, profile))).toEqual(['facts_invalid', 'facts_invalid']);
  });

  it('255 characters are the most, counted after encoding', () => {
    const room = 255 - subject({ ...PUSH, ref: 'x' }).length + 1;
    expect(subject({ ...PUSH, ref: 'x'.repeat(room) })).toHaveLength(255);
    expect(reason({ ...PUSH, ref: 'x'.repeat(room + 1) })).toBe('subject_too_long');
    expect(reason({ ...PUSH, ref: `${'x'.repeat(room - 1)}:` })).toBe('subject_too_long');
  });
});

const SUBJECT_KEYS: (keyof JobFacts)[] = ['owner', 'pipeline', 'ref', 'event', 'environment', 'fork', 'local'];

/** What a subject must tell apart, by the design's words: kind, owner, pipeline and context. */
function identityOf(facts: JobFacts, profile: ProfileName): string {
  const environment = facts.fork ? undefined : facts.environment;
  const pull = profile === 'github' && environment === undefined && facts.event === 'pull_request';
  const context = environment !== undefined ? ['environment', environment] : pull ? ['pull'] : ['ref', facts.ref];
  return JSON.stringify([facts.local, facts.fork, facts.owner, facts.pipeline, context]);
}

describe.each(PROFILE_NAMES)('properties under the %s profile', (profile) => {
  it('two jobs have the same subject exactly when owner, pipeline and context are the same', () => {
    const pairs = { same: 0, different: 0 };
    fc.assert(
      fc.property(subjectFacts, subjectFacts, fc.subarray(SUBJECT_KEYS), (a, other, changed) => {
        const b = { ...a, ...Object.fromEntries(changed.map((key) => [key, other[key]])) };
        const [left, right] = [subjectOf(a, profile), subjectOf(b, profile)];
        fc.pre(left.ok && right.ok);
        const same = left.ok && right.ok && left.value === right.value;
        pairs[same ? 'same' : 'different'] += 1;
        expect(same).toBe(identityOf(a, profile) === identityOf(b, profile));
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(pairs.same, pairs.different)).toBeGreaterThan(50);
  });

  it('moving characters across the borders of the parts always changes the subject', () => {
    const alphabet = fc.constantFrom('a', '/', '@', ':', '%', '%2F', '%40');
    const tiny = fc.array(alphabet, { minLength: 1, maxLength: 2 }).map((pieces) => pieces.join(''));
    const jobs = fc.record({
      owner: fc.record({ name: tiny, id: tiny }),
      pipeline: fc.record({ name: tiny, id: tiny }),
      ref: tiny,
    });
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(jobs, (job) => {
        const facts = { ...PUSH, ...job };
        const made = subject(facts, profile);
        const identity = identityOf(facts, profile);
        expect(seen.get(made) ?? identity).toBe(identity);
        seen.set(made, identity);
      }),
      { numRuns: 5000 },
    );
    expect(seen.size).toBeGreaterThan(1000);
  });

  it('no fork is matched by a prefix of a pipeline’s own subjects that reaches beyond local:', () => {
    const whole = profile === 'jobpass' ? 'owner:' : 'repo:';
    fc.assert(
      fc.property(subjectFacts, subjectFacts, fc.nat(), (own, other, cut) => {
        const [ownSubject, fork] = [
          subjectOf({ ...own, fork: false }, profile),
          subjectOf({ ...other, fork: true }, profile),
        ];
        fc.pre(ownSubject.ok && fork.ok);
        if (!ownSubject.ok || !fork.ok) return;
        const least = ownSubject.value.indexOf(whole) + whole.length;
        const prefix = ownSubject.value.slice(0, least + (cut % (ownSubject.value.length - least + 1)));
        expect(fork.value.startsWith(prefix)).toBe(false);
        expect(fork.value).toMatch(/^(local:)?fork:/);
        expect(ownSubject.value).not.toMatch(/^(local:)?fork:/);
      }),
      { numRuns: 2000 },
    );
  });

  it('only local jobs have a subject that begins with local:', () => {
    fc.assert(
      fc.property(subjectFacts, (facts) => {
        const made = subjectOf(facts, profile);
        fc.pre(made.ok);
        expect(made.ok && made.value.startsWith('local:')).toBe(facts.local);
      }),
    );
  });
});

describe('the short subject', () => {
  const long = (facts: Partial<JobFacts> = {}): JobFacts => ({
    ...PUSH,
    ref: `refs/heads/${'x'.repeat(120)}`,
    ...facts,
  });
  const short = (facts: JobFacts, profile: ProfileName = 'jobpass'): string =>
    shortSubject(subject(facts, profile), facts);

  it('is the subject itself up to 127 bytes', () => {
    const room = 127 - subject({ ...PUSH, ref: 'x' }).length + 1;
    const fits = { ...PUSH, ref: 'x'.repeat(room) };
    expect(short(fits)).toBe(subject(fits));
    expect(short({ ...PUSH, ref: 'x'.repeat(room + 1) })).toMatch(/^owner_id:42:pipeline_id:7:sha256:[\w-]{43}$/);
  });

  it('keeps the prefixes of forks and local jobs', () => {
    expect(short(long({ fork: true }))).toMatch(/^fork:owner_id:42:/);
    expect(short(long({ local: true, fork: true }), 'github')).toMatch(/^local:fork:owner_id:42:/);
    expect(short(long({ local: true }))).toMatch(/^local:owner_id:42:/);
  });

  it('drops ids that do not fit, never the hash', () => {
    const uuid = '018f2c5e-7c1a-7d2e-9b3f-0123456789ab';
    const two = long({ owner: { name: 'a', id: uuid }, pipeline: { name: 'b', id: uuid } });
    expect(short(two)).toMatch(new RegExp(`^owner_id:${uuid}:sha256:[\\w-]{43}$`));
    expect(short(long({ owner: { name: 'a', id: 'x'.repeat(80) }, local: true }))).toMatch(/^local:sha256:[\w-]{43}$/);
  });

  it('fits in 127 bytes and tells apart whatever the long form tells apart', () => {
    const padded = fc.tuple(subjectFacts, fc.constantFrom('', 'p'.repeat(60), 'q'.repeat(100))).map(([facts, pad]) => ({
      ...facts,
      ref: facts.ref + pad,
    }));
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(padded, fc.constantFrom(...PROFILE_NAMES), (facts, profile) => {
        const made = subjectOf(facts, profile);
        fc.pre(made.ok);
        if (!made.ok) return;
        const text = shortSubject(made.value, facts);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(127);
        expect(text.startsWith(`${facts.local ? 'local:' : ''}${facts.fork ? 'fork:' : ''}`)).toBe(true);
        expect(seen.get(text) ?? made.value).toBe(made.value);
        seen.set(text, made.value);
      }),
      { numRuns: 2000 },
    );
    expect(seen.size).toBeGreaterThan(500);
  });
});
