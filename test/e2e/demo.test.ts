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

function tellsTheStory(story: string): void {
  expect(story).toMatch(/✓ build .+ made web-shop-[0-9a-f]{7}\.tar\.gz .+ no identity asked for, none given/);
  expect(story).toMatch(/✓ publish /);
  expect(story).toMatch(/1 job started +job J.+ owner acme@42 · pipeline web@7 · environment production/);
  expect(story).toMatch(/2 ID token +sub owner:acme@42:pipeline:web@7:environment:production +aud \S+ +[0-9]+ ms/);
  expect(story).toMatch(/3–5 exchange +role main\/publish-web → session S\S+, (30|29) min.* [0-9]+ ms +recorded/);
  expect(story).toMatch(/6 at the gateway +PUT s3:\/\/web-shop\/releases\/7\/web-shop-[0-9a-f]{7}\.tar\.gz → 200/);
  expect(story).toMatch(/7–8 job ended +session S[0-9A-Z]+ dead: 400 ExpiredToken, decision D/);
  expect(story).toMatch(/✗ preview /);
  expect(story).toMatch(/refused D.+ publish-web wants environment production/);
  expect(story).toMatch(/tried once more: +dead: 400 ExpiredToken, decision D.+← this is the point/);
  expect(story).toContain('Nearest role    main/preview-web   (all clauses hold; not asked for)');
  expect(story.trimEnd().split('\n').at(-1)).toMatch(/^ {2}break it yourself .+ then: /);
  expect(story).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
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
    story = execFileSync('npx', ['--no-install', 'jobpass', 'demo'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('brings nothing else along', () => {
    expect(existsSync(join(folder, 'node_modules/jobpass/dist/jobpass.js'))).toBe(true);
    expect(existsSync(join(folder, 'node_modules/fastify'))).toBe(false);
    expect(readFileSync(join(folder, 'node_modules/jobpass/dist/THIRD-PARTY-LICENSES.txt'), 'utf8')).toContain(
      'fastify',
    );
  });

  test('tells the story of the demo', () => tellsTheStory(story));

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
