// `jobpass token --file`: what AWS_WEB_IDENTITY_TOKEN_FILE names, as its readers want it.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../fakes/serve-on-loopback.ts';
import { type Ended, inFreshFolder, jobpass } from './jobpass.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const ID_TOKEN = `${part({ alg: 'RS256' })}.${part({ exp: Math.floor(Date.now() / 1000) + 600 })}.c2lnbmVk`;

let issuer: LoopbackServer;
let status = 200;
beforeAll(async () => {
  issuer = await serveOnLoopback(async () => [
    {
      method: 'GET',
      path: '/id-token',
      handle: async () => ({ status, headers: {}, body: JSON.stringify({ value: ID_TOKEN }) }),
    },
  ]);
});
afterAll(() => issuer.close());

const token = (folder: string, ...args: string[]): Promise<Ended> =>
  jobpass(['token', '--audience', 'https://sts.example.com', ...args], {
    folder,
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer.url}/id-token?v=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
    },
  });

describe('jobpass token --file', () => {
  test('writes the token and nothing else, for its owner only, and prints none of it', () =>
    inFreshFolder(async (folder) => {
      const ended = await token(folder, '--file', 'id-token');
      expect(ended).toMatchObject({ code: 0, stdout: '' });
      expect(ended.stderr).toMatch(
        /^jobpass: ID token for https:\/\/sts\.example\.com in id-token, (10 min|9 min 5\d s) {3}\d+ ms\n$/,
      );
      expect(readFileSync(join(folder, 'id-token'), 'utf8')).toBe(ID_TOKEN);
      expect(statSync(join(folder, 'id-token')).mode & 0o777).toBe(0o600);
    }));

  test('replaces the token before it, whoever could read that one', () =>
    inFreshFolder(async (folder) => {
      writeFileSync(join(folder, 'id-token'), 'the old one, which was longer'.repeat(100), { mode: 0o644 });
      expect((await token(folder, '--file', 'id-token')).code).toBe(0);
      expect(readFileSync(join(folder, 'id-token'), 'utf8')).toBe(ID_TOKEN);
      expect(statSync(join(folder, 'id-token')).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder)).toEqual(['id-token']);
    }));

  test('leaves the token before it when the issuer refuses', () =>
    inFreshFolder(async (folder) => {
      writeFileSync(join(folder, 'id-token'), 'the old one');
      status = 403;
      try {
        expect((await token(folder, '--file', 'id-token')).code).toBe(3);
      } finally {
        status = 200;
      }
      expect(readFileSync(join(folder, 'id-token'), 'utf8')).toBe('the old one');
    }));

  test('says where it could not write, without the token', () =>
    inFreshFolder(async (folder) => {
      const ended = await token(folder, '--file', 'none/id-token');
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('none/id-token cannot be written') });
      expect(ended.stderr).not.toContain(ID_TOKEN);
    }));

  test('is not both printed and written', () =>
    inFreshFolder(async (folder) => {
      expect(await token(folder, '--json', '--file', 'id-token')).toMatchObject({ code: 2, stdout: '' });
      expect(existsSync(join(folder, 'id-token'))).toBe(false);
    }));
});
