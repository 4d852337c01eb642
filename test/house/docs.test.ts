import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedDocs } from '../../scripts/generated-docs.ts';

test.each(generatedDocs().map(({ path, text }) => [path, text]))(
  '%s is what the code says (else: npm run docs)',
  (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const packageJson: PackageJson = JSON.parse(readFileSync('package.json', 'utf8'));

test('every dependency has its reason in docs/dependencies.md', () => {
  const page = readFileSync('docs/dependencies.md', 'utf8');
  const listed = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  expect(listed.toSorted()).toEqual(Object.keys(packageJson.devDependencies).toSorted());
});

test('the published package depends on nothing: its bundle holds what it needs', () => {
  expect(packageJson.dependencies ?? {}).toEqual({});
});

test('every dependency version is exact', () => {
  const versions = Object.values(packageJson.devDependencies);
  expect(versions.filter((version) => !/^[0-9]+\.[0-9]+\.[0-9]+(-beta\.[0-9]+)?$/.test(version))).toEqual([]);
});

test('the lock file carries no download addresses', () => {
  expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved"/);
});

test('every relative link of the pages leads somewhere', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`),
  ];
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !exists(new URL(target, `file://${process.cwd()}/${page}`)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
  expect(pages.length).toBeGreaterThan(5);
});

function exists(url: URL): boolean {
  try {
    readFileSync(url);
    return true;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EISDIR';
  }
}
