import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** What changes from run to run, by what it is. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b([DJSE])[0-9A-HJKMNP-TV-Z]{5,12}\b/g, '$1…'],
  [/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC/g, 'TIME'],
  [/key [A-Za-z0-9_-]{43}/g, 'key K'],
  [/set [0-9a-f]{12}…/g, 'set S'],
  [/127\.0\.0\.1:[0-9]+/g, 'HOST'],
  [/\b[0-9]+ s ago|in [0-9]+ s/g, 'SECONDS'],
];
const steady = (text: string): string =>
  VARYING.reduce((steadied, [varying, name]) => steadied.replace(varying, name), text);

/** The explanation of the fork's refusal, from its first line to the policy it was decided by. */
const refusalIn = (story: string): string => /^D[0-9A-Z]{12} {2}refused.+?^ {2}Policy.+?$/ms.exec(story)?.[0] ?? '';

interface Words {
  readonly audience: RegExp;
  readonly put: RegExp;
  readonly dead: string;
}

/** Where the story differs from cloud to cloud. */
const WORDS = {
  aws: {
    audience: /aud 127\.0\.0\.1:[0-9]+ /,
    put: /PUT s3:\/\/web-shop\/releases\/7\/web-shop-[0-9a-f]{7}\.tar\.gz → 200/,
    dead: '400 ExpiredToken',
  },
  gcp: {
    audience: /aud …\/providers\/publish-web /,
    put: /POST gs:\/\/web-shop\/releases\/7\/web-shop-[0-9a-f]{7}\.tar\.gz → 200/,
    dead: '401 authError',
  },
  azure: {
    audience: /aud api:\/\/AzureADTokenExchange /,
    put: /PUT https:\/\/127\.0\.0\.1:[0-9]+\/acme\/web-shop\/releases\/7\/web-shop-[0-9a-f]{7}\.tar\.gz → 201/,
    dead: '401 InvalidAuthenticationInfo',
  },
} as const satisfies Record<string, Words>;

/** The story of one cloud, but for what the demo says before and after it. */
function tellsTheStoryOf(cloud: keyof typeof WORDS, story: string): void {
  const { audience, dead, put } = WORDS[cloud];
  expect(story).toMatch(/✓ build .+ made web-shop-[0-9a-f]{7}\.tar\.gz .+ no identity asked for, none given/);
  expect(story).toMatch(/✓ publish /);
  expect(story).toMatch(/1 job started +job J.+ owner acme@42 · pipeline web@7 · environment production/);
  expect(story).toMatch(/2 ID token +sub owner:acme@42:pipeline:web@7:environment:production +aud \S+ +[0-9]+ ms/);
  expect(story).toMatch(audience);
  expect(story).toMatch(/3–5 exchange +role main\/publish-web → session S\S+, (30|29) min.* [0-9]+ ms +recorded/);
  expect(story).toMatch(new RegExp(`6 at the gateway +${put.source}`));
  expect(story).toMatch(new RegExp(`7–8 job ended +session S[0-9A-Z]+ dead: ${dead}, decision D`));
  expect(story).toMatch(/✗ preview /);
  expect(story).toMatch(/refused D.+ publish-web wants environment production/);
  expect(story).toMatch(new RegExp(`tried once more: +dead: ${dead}, decision D.+← this is the point`));
  expect(story).toMatch(new RegExp(`^D[0-9A-Z]{12} {2}refused {2}main/publish-web .+ {2}${cloud} {2}job J`, 'm'));
  expect(story).toContain('Nearest role    main/preview-web   (all clauses hold; not asked for)');
}

/** The whole of what a demo of these clouds says. */
function tellsTheStory(said: string, ...clouds: readonly (keyof typeof WORDS)[]): void {
  const [, ...stories] = said.split(/^web-shop {2}main {2}by you.*$/m);
  expect(stories).toHaveLength(clouds.length);
  clouds.forEach((cloud, index) => void tellsTheStoryOf(cloud, stories[index] ?? ''));
  expect(said.trimEnd().split('\n').at(-1)).toMatch(/^ {2}break it yourself .+ then: /);
  expect(said).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
}

describe('the published package, installed in an empty folder', () => {
  let folder: string;
  let story: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-package-'));
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
        cwd: ROOT,
        encoding: 'utf8',
      }),
    );
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', join(folder, packed.filename)], {
      cwd: folder,
      stdio: 'pipe',
    });
    story = tell();
  });

  const tell = (...options: readonly string[]): string =>
    execFileSync('npx', ['--no-install', 'jobpass', 'demo', ...options], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
      stdio: 'pipe',
    });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('brings nothing else along', () => {
    expect(existsSync(join(folder, 'node_modules/jobpass/dist/jobpass.js'))).toBe(true);
    expect(existsSync(join(folder, 'node_modules/fastify'))).toBe(false);
    expect(readFileSync(join(folder, 'node_modules/jobpass/dist/THIRD-PARTY-LICENSES.txt'), 'utf8')).toContain(
      'fastify',
    );
  });

  test('tells the story of the demo', () => tellsTheStory(story, 'aws'));

  test.each([
    ['gcp', ['gcp']],
    ['azure', ['azure']],
    ['all', ['aws', 'gcp', 'azure']],
  ] as const)('tells it by other clouds’ words: --cloud %s', (word, clouds) => {
    tellsTheStory(tell('--cloud', word), ...clouds);
  });

  test('refuses a cloud that is none', () => {
    expect(() => tell('--cloud', 'ibm')).toThrow(
      expect.objectContaining({ status: 2, stderr: expect.stringContaining('hint: --cloud aws|gcp|azure|all') }),
    );
  });

  test('explains the refusal as the README shows it', () => {
    const shown =
      /<!-- refusal[^>]*-->\n```\n(.*?)\n```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';
    const explained = refusalIn(story);
    expect(explained).not.toBe('');
    expect(steady(shown)).toContain(steady(explained));
  });

  test('has types that a strict program compiles against', () => {
    const source = join(folder, 'use.ts');
    mkdirSync(join(folder, 'types'), { recursive: true });
    writeFileSync(
      source,
      "import { exchangeToken, type ExchangedToken, type Result, type RunnerFailure } from 'jobpass';\nexport const exchange: (...args: Parameters<typeof exchangeToken>) => Promise<Result<ExchangedToken, RunnerFailure>> = exchangeToken;\n",
    );
    execFileSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      [
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2024',
        '--typeRoots',
        join(ROOT, 'node_modules/@types'),
        '--types',
        'node',
        source,
      ],
      { cwd: folder, stdio: 'pipe' },
    );
  });
});

test('the demo says why publish was refused when its policy was broken on purpose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-broken-'));
  try {
    execFileSync('cp', ['-r', join(ROOT, 'dist'), join(ROOT, 'examples'), join(ROOT, 'package.json'), folder]);
    const policy = join(folder, 'examples/web-shop/policies/main/publish-web.yaml');
    writeFileSync(policy, readFileSync(policy, 'utf8').replace('refs/heads/main', 'refs/heads/Main'));
    const story = execFileSync(process.execPath, [join(folder, 'dist/jobpass.js'), 'demo'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(story).toContain('why was publish refused?');
    expect(story).toMatch(/✗ ref\n +wanted refs\/heads\/Main\n +got +refs\/heads\/main\n +differs only in case/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
