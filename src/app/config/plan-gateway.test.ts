// The URL of a guard: told only where it is true.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPlan, readConfig } from './load.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-config-'));
  writeFileSync(join(folder, 'kek'), `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'secret'), 'a secret\n', { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GUARD = 'listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:1"';
const CHECK = 'check: { listen: "127.0.0.1:8704", dialect: nginx }';

/** The gateway's URL, or where the problems are and what they are. */
function load(sides: string) {
  const rest =
    'sts: { url: "https://sts.example.com", secret: "file:secret" }, keys: { encryption_key: "file:kek" }, name: web';
  writeFileSync(join(folder, 'jobpass.yaml'), `gateways:\n  - { ${rest}, ${sides} }\n`);
  const document = readConfig('jobpass.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  return plan.ok
    ? plan.value.gateways.map(({ settings }) => settings.url)
    : plan.error.map(({ path, message }) => `${path}: ${message}`);
}

test('a guard has the URL that it is given, and none by itself', () => {
  expect(load(GUARD)).toEqual([null]);
  expect(load(`${GUARD}, url: "https://web.example.com"`)).toEqual(['https://web.example.com']);
  expect(load(`${GUARD}, url: "http://127.0.0.1:8703"`)).toEqual(['http://127.0.0.1:8703']);
});

test('a URL that nobody serves, or that could be listened in on, is a problem at its place', () => {
  expect(load(`${CHECK}, url: "https://web.example.com"`)).toEqual([
    'gateways[0].url: only a guard has a URL: upstream is missing',
  ]);
  expect(load(`${GUARD}, url: "http://web.example.com"`)).toEqual([
    'gateways[0].url: plain http is allowed on loopback only',
  ]);
  expect(load(`${GUARD}, url: "https://web.example.com/base"`)).toEqual([expect.stringMatching(/^gateways\[0\]\.url/)]);
});
