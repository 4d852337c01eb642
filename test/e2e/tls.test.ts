// The three servers with https listeners of their own under a private CA: one job, from its identity to the guarded resource.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { makePrivateCa, type PrivateCa } from '../fakes/private-ca.ts';
import { startThreeServers, type ThreeServers } from './three-servers.ts';

const curl = requireClient('curl');
const openssl = requireClient('openssl');

describe.skipIf(curl === undefined || openssl === undefined)('over https', () => {
  let folder: string;
  let ca: PrivateCa;
  let servers: ThreeServers;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-tls-'));
    ca = makePrivateCa(openssl ?? '', folder);
    servers = await startThreeServers({ tls: ca });
  });
  afterAll(async () => {
    await servers?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (...args: string[]): Promise<string> =>
    (
      await promisify(execFile)(curl ?? '', [
        '--silent',
        '--show-error',
        '--fail-with-body',
        '--cacert',
        ca.ca,
        ...args,
      ])
    ).stdout;

  test('a job gets an identity, exchanges it and uses the resource; the servers trust each other by the CA', async () => {
    const { stage } = servers;
    const { client, secret }: { client: string; secret: string } = JSON.parse(
      readFileSync(stage.controllerFile, 'utf8'),
    );
    const facts = { owner: { name: 'acme', id: '42' }, pipeline: { name: 'web', id: '7' } };
    const run = { workflow: 'pipeline', job: 'publish', run_id: '1', run_number: '1', run_attempt: '1', event: 'push' };
    const source = { ref: 'refs/heads/main', ref_type: 'branch', sha: '0'.repeat(40), actor: { name: 'you', id: '1' } };
    const runner = { runner_id: 'r', runner_environment: 'self-hosted', fork: false, interactive: false };
    const asked = { idempotency_key: 'run-over-tls', environment: 'production', timeout_seconds: 600 };
    const body = JSON.stringify({ ...facts, ...run, ...source, ...runner, ...asked, audiences: [stage.urls.sts] });
    const job = JSON.parse(await ask('--user', `${client}:${secret}`, '--json', body, `${stage.urls.issuer}/v1/jobs`));
    const idToken = JSON.parse(
      await ask(
        '--oauth2-bearer',
        job.request_token,
        `${job.request_url}&audience=${encodeURIComponent(stage.urls.sts)}`,
      ),
    );
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: idToken.value,
      audience: 'urn:jobpass:role:main/publish-web',
    });
    const granted = JSON.parse(await ask('--data', form.toString(), `${stage.urls.sts}/token`));
    const put = ['--upload-file', '-', '--write-out', '%{http_code}', '--output', '/dev/null'];
    const sent = promisify(execFile)('sh', [
      '-c',
      'printf hello | "$@"',
      'sh',
      curl ?? '',
      '--silent',
      '--cacert',
      ca.ca,
      ...put,
      '--oauth2-bearer',
      granted.access_token,
      `${stage.urls.gateway}/web/hello.txt`,
    ]);
    expect((await sent).stdout).toBe('201');
  });

  test('each listener speaks TLS 1.2 and later only, and no plain http', async () => {
    const { stage } = servers;
    for (const url of [stage.urls.issuer, stage.urls.sts, stage.urls.gateway]) {
      const { port } = new URL(url);
      const old = new Promise<string>((resolve) => {
        const socket = connect({
          host: '127.0.0.1',
          port: Number(port),
          ca: readFileSync(ca.ca),
          maxVersion: 'TLSv1.1',
          minVersion: 'TLSv1',
        });
        socket.once('error', () => resolve('refused'));
        socket.once('secureConnect', () => resolve('accepted'));
      });
      expect(await old).toBe('refused');
      await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    }
  });

  test('whoever does not know the CA gets no further than the handshake', async () => {
    const reached = new Promise<string>((resolve) => {
      const asked = request(`${servers.stage.urls.sts}/healthz`, (answer) => resolve(String(answer.statusCode)));
      asked.once('error', (cause) => resolve(cause.message));
      asked.end();
    });
    expect(await reached).toMatch(/self-signed|unable to (?:verify|get)/);
  });
});
