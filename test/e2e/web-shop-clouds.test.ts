// The example project's uploads by the words of Google Cloud and Azure, against a server that only writes down what it is asked.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen } from '../fakes/guarded-resource.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/web-shop');

describe('the upload of the web shop by other clouds’ words', () => {
  const PROVIDER =
    '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/web-shop/providers/publish-web';
  let home: string;
  let server: Server;
  let calls: { line: string; body: string; headers: IncomingHttpHeaders }[];
  /** The answer to the store's request. */
  let stored: { status: number; headers: Readonly<Record<string, string>>; body: string };

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'jobpass-web-shop-home-'));
    writeFileSync(join(home, 'id-token'), 'the-id-token');
    calls = [];
    stored = { status: 200, headers: {}, body: '{}' };
    server = createServer((request, response) => {
      const { method, url, headers } = request;
      void text(request).then((body) => {
        calls.push({ line: `${method} ${url}`, body, headers });
        if (calls.length === 1) response.end('{"access_token":"the-access-token","expires_in":1800}');
        else response.writeHead(stored.status, stored.headers).end(stored.body);
      });
    });
    await listen(server);
  });
  afterEach(() => {
    server.close();
    rmSync(home, { recursive: true });
  });

  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function run(program: readonly string[], more: Readonly<Record<string, string>>): Promise<string> {
    return new Promise((resolve) => {
      execFile(process.execPath, program, { cwd: EXAMPLE, env: { HOME: home, ...more } }, (_error, stdout, stderr) => {
        expect(stdout + stderr).not.toMatch(/the-(?:id|access)-token/);
        resolve(stdout + stderr);
      });
    });
  }

  function gcp(): Readonly<Record<string, string>> {
    const file = join(home, 'credentials.json');
    writeFileSync(
      file,
      JSON.stringify({
        type: 'external_account',
        audience: PROVIDER,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${address()}/v1/token`,
        credential_source: { file: join(home, 'id-token') },
      }),
    );
    return {
      CLOUD: 'gcp',
      GOOGLE_APPLICATION_CREDENTIALS: file,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${address()}/storage/v1/`,
    };
  }

  it('exchanges the token as a Google credentials file says, then uploads by the JSON API', async () => {
    const output = await run(['publish.mjs', 'src/style.css', 'gs://web-shop/releases/7/'], gcp());
    expect(output).toMatch(/^POST gs:\/\/web-shop\/releases\/7\/style\.css → 200 {3}/m);
    expect(calls.map(({ line }) => line)).toEqual([
      'POST /v1/token',
      'POST /upload/storage/v1/b/web-shop/o?uploadType=multipart',
    ]);
    expect(Object.fromEntries(new URLSearchParams(calls[0]?.body))).toMatchObject({
      audience: PROVIDER,
      subject_token: 'the-id-token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
    expect(calls[1]?.headers.authorization).toBe('Bearer the-access-token');
    expect(calls[1]?.body).toContain('{"name":"releases/7/style.css"}');
    expect(calls[1]?.body).toContain(readFileSync(join(EXAMPLE, 'src/style.css'), 'utf8'));
  });

  it('tells a refusal of the JSON API with the id that leads to its decision', async () => {
    const message = 'The caller may not do this, or the resource does not exist. (D4BY299VXC1W0)';
    stored = {
      ...stored,
      status: 403,
      body: JSON.stringify({ error: { code: 403, message, errors: [{ reason: 'forbidden' }] } }),
    };
    const output = await run(['publish.mjs', 'src/style.css', 'gs://web-shop/releases/7/'], gcp());
    expect(output).toContain('style.css → 403 forbidden, decision D4BY299VXC1W0');
  });

  it('gives its token as an Azure application’s assertion, then puts a blob', async () => {
    stored = { ...stored, status: 201 };
    const put = JSON.stringify(`${address()}/acme/web-shop/releases/7/style.css`);
    const program = `const { putObject, signIn } = await import(${JSON.stringify(join(EXAMPLE, 'azure.mjs'))});
      const { kept } = await signIn(process.env);
      console.log((await putObject(${put}, 'hello', { kept })).status);`;
    const output = await run(['--input-type=module', '--eval', program], {
      AZURE_AUTHORITY_HOST: address(),
      AZURE_TENANT_ID: 'acme.example.com',
      AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000007',
      AZURE_FEDERATED_TOKEN_FILE: join(home, 'id-token'),
    });
    expect(output).toBe('201\n');
    expect(calls.map(({ line }) => line)).toEqual([
      'POST /acme.example.com/oauth2/v2.0/token',
      'PUT /acme/web-shop/releases/7/style.css',
    ]);
    expect(Object.fromEntries(new URLSearchParams(calls[0]?.body))).toMatchObject({
      client_id: '00000000-0000-4000-8000-000000000007',
      client_assertion: 'the-id-token',
    });
    expect(calls[1]).toMatchObject({
      body: 'hello',
      headers: { authorization: 'Bearer the-access-token', 'x-ms-blob-type': 'BlockBlob' },
    });
  });
});
