// `serve --dev` as a person starts it first: on the usual ports, which nobody else may have meanwhile.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { type Ended, inFreshFolder, jobpass } from './jobpass.ts';

describe('a person’s own machine', () => {
  test.skipIf(requireClient('curl') === undefined)('runs a pipeline with local identities of its own', () =>
    inFreshFolder(async (folder) => {
      const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });
      git('init', '--quiet', '--initial-branch=main');
      writeFileSync(
        join(folder, 'pipeline.yaml'),
        'owner: { name: acme, id: "42" }\npipeline: { name: web, id: "7" }\njobs:\n  hello:\n    audiences: ["http://127.0.0.1:8702"]\n    run: [\'curl -s -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=http%3A%2F%2F127.0.0.1%3A8702" | cut -c 1-9\']\n',
      );
      git('add', 'pipeline.yaml');
      git('-c', 'user.name=you', '-c', 'user.email=you@example.com', 'commit', '--quiet', '--message', 'a pipeline');
      let ran: Ended | undefined;
      const served = await jobpass(['serve', '--dev', '--owner', 'acme@42'], {
        folder,
        onReady: async () => {
          ran = await jobpass(['run', 'pipeline.yaml'], { folder });
        },
        stopAt: /^ready/m,
      });
      expect(served.code).toBe(0);
      expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('{"value":') });
      expect(ran?.stderr).not.toContain('uncommitted');
    }),
  );
});
