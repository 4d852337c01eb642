// A whole program that stops, and one whose databases are gone: what is answered, and what is not.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { stopServers } from '../../src/app/compose/serve.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { basicAuthorization } from '../../src/wire/authorization.ts';
import { START } from '../fakes/issuer-world.ts';
import { startWholeProgram, type WholeProgram } from '../fakes/whole-program.ts';

let program: WholeProgram | undefined;
afterEach(async () => {
  await program?.close();
  program = undefined;
});

const start = async (): Promise<WholeProgram> => {
  program = await startWholeProgram();
  return program;
};

test('polls that wait are answered at once when their server stops, and none fails', async () => {
  const { clientSecret, issuerUrl, servers } = await start();
  const headers = {
    authorization: basicAuthorization('sts', new Secret(clientSecret)),
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ returnImmediately: false, nonce: 'a'.repeat(24), receiver: 'x' });
  const poll = fetch(`${issuerUrl}/v1/events/poll`, { method: 'POST', headers, body });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const startedAt = performance.now();
  await stopServers(servers.filter(({ name }) => name === 'issuer'));
  const answer = await poll;
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  expect(performance.now() - startedAt).toBeLessThan(800);
});

test('a server that drains is not ready, here and for those who watch the whole program; it answers', async () => {
  const { servers, stsUrl, watchUrl } = await start();
  expect((await fetch(`${watchUrl}/readyz`)).status).toBe(200);
  const sts = servers.find(({ name }) => name === 'sts');
  expect(sts?.drain()).toBe(false);
  for (const url of [stsUrl, watchUrl]) expect((await fetch(`${url}/readyz`)).status).toBe(503);
  const jwks = await fetch(`${stsUrl}/.well-known/jwks`);
  expect([jwks.status, jwks.headers.get('connection')]).toEqual([200, 'close']);
  // It was asked since.
  expect(sts?.drain()).toBe(true);
});

test('keys and discovery are served while the databases are gone; what would have to be kept is refused', async () => {
  const { clientSecret, folder, issuerUrl, stsUrl } = await start();
  const documents = [
    `${issuerUrl}/.well-known/openid-configuration`,
    `${issuerUrl}/.well-known/jwks`,
    `${stsUrl}/.well-known/oauth-authorization-server`,
    `${stsUrl}/.well-known/jwks`,
  ];
  const read = () => Promise.all(documents.map(async (url) => (await fetch(url)).text()));
  const before = await read();
  rmSync(join(folder, 'data'), { recursive: true });
  const authorization = basicAuthorization('ci', new Secret(clientSecret));
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ ...START, audiences: [stsUrl] });
  const asked = await fetch(`${issuerUrl}/v1/jobs`, { method: 'POST', headers, body });
  expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await read()).toEqual(before);
  expect(before.every((text) => text.startsWith('{'))).toBe(true);
});
