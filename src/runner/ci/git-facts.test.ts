import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { err, ok } from '../../base/core/result.ts';
import { type Git, readGitFacts } from './git-facts.ts';

const SHA = 'b'.repeat(40);

/** Git that answers by its first two arguments; what is not there fails. */
const fakeGit =
  (answers: Record<string, string>, stderr = ''): Git =>
  async (args) => {
    const answer = answers[args.slice(0, 2).join(' ')];
    return answer === undefined ? err({ kind: 'failed', stderr }) : ok(answer);
  };

const ANSWERS = {
  'rev-parse --show-toplevel': '/home/you/web shop\n',
  'rev-parse --verify': `${SHA}\n`,
  'symbolic-ref --quiet': 'refs/heads/main\n',
  'config --get': 'You\n',
  'status --porcelain': '',
};

describe('git facts', () => {
  it('are commit, branch and person; the person’s id is the account, not what git was told', async () => {
    expect(await readGitFacts(fakeGit(ANSWERS), '/home/you/web shop/src')).toEqual({
      ok: true,
      value: {
        root: '/home/you/web shop',
        sha: SHA,
        ref: 'refs/heads/main',
        refType: 'branch',
        actor: { name: 'You', id: `uid-${userInfo().uid}` },
        dirty: false,
      },
    });
  });

  it('of a detached head name no branch', async () => {
    const { 'symbolic-ref --quiet': _, ...detached } = ANSWERS;
    expect(await readGitFacts(fakeGit(detached), '/x')).toMatchObject({
      value: { ref: `refs/detached/${SHA}`, refType: 'other' },
    });
  });

  it('tell that there are changes which will not run', async () => {
    expect(await readGitFacts(fakeGit({ ...ANSWERS, 'status --porcelain': ' M a\n' }), '/x')).toMatchObject({
      value: { dirty: true },
    });
  });

  it('without a name fall back to the account', async () => {
    const { 'config --get': _, ...nameless } = ANSWERS;
    expect(await readGitFacts(fakeGit(nameless), '/x')).toMatchObject({
      value: { actor: { name: userInfo().username } },
    });
  });

  it.each([
    ['no repository', fakeGit({}, 'fatal: not a git repository'), /not inside a git repository/],
    ['another user’s repository', fakeGit({}, 'fatal: detected dubious ownership'), /belongs to another user/],
    ['no commit', fakeGit({ 'rev-parse --show-toplevel': '/x\n' }), /no commit/],
    ['no git', (async () => err({ kind: 'missing', stderr: '' })) as Git, /not installed/],
  ])('with %s fail clearly', async (_, git, message) => {
    const facts = await readGitFacts(git, '/x');
    expect(facts).toMatchObject({ ok: false, error: { kind: 'usage' } });
    expect(facts.ok ? '' : facts.error.message).toMatch(message);
  });
});
