// AWS's SDK for JavaScript as a job runs it, with nothing but its environment.
import { hash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Setting } from './setting.ts';

const PROGRAM = fileURLToPath(new URL('./javascript-program.ts', import.meta.url));

const CHECK = '123456789';
/** Of CHECK, from the catalogue of parametrised CRC algorithms and from node. */
const SUMS: Readonly<Record<string, string>> = {
  CRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
  CRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
  CRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  SHA1: hash('sha1', CHECK, 'base64'),
  SHA256: hash('sha256', CHECK, 'base64'),
};

/** What it must be able to do, and what it must be told, by each way to credentials. */
export function javascriptCases(setting: Setting): void {
  test.each([
    ['finds its credentials in the environment', 'chain'],
    ['is given a token file', 'file'],
    ['is given a token', 'token'],
  ])('does everything when it %s', async (_how, way) => {
    const { status, stdout, stderr } = await setting.job.run(process.execPath, [PROGRAM, way]);
    expect([status, stderr]).toEqual([0, '']);
    const told = JSON.parse(stdout);
    expect(told.bodies).toEqual({
      buffered: true,
      streamed: true,
      // What the body was framed with on its way is none of the object's encoding.
      ContentEncoding: 'gzip',
      Metadata: { job: '7' },
      ContentType: 'text/x',
      range: true,
    });
    const sums = Object.entries(SUMS).flatMap(([name, sum]) => [
      [name, [sum, sum, CHECK]],
      [`wrong ${name}`, '400 BadDigest'],
    ]);
    expect(told.checksums).toEqual(Object.fromEntries(sums));
    expect(told.inParts).toBe(true);
    expect(told.rest).toEqual({
      pages: [4, 4, 1],
      listed: true,
      deleted: 9,
      gone: '404 NoSuchKey',
      foreign: '403 AccessDenied',
    });
  });
}
