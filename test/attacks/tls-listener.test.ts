// What somebody who never finishes a handshake gets of an https listener.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createListener } from '../../src/app/server/listener.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { requireClient } from '../clients.ts';
import { listen } from '../fakes/guarded-resource.ts';
import { makePrivateCa } from '../fakes/private-ca.ts';

const openssl = requireClient('openssl');

describe.skipIf(openssl === undefined)('an https listener', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-listener-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('lets go of a connection whose handshake does not end, as of one whose head does not', async () => {
    const { certificate, key } = makePrivateCa(openssl ?? '', folder);
    const identity = { certificate: readFileSync(certificate, 'utf8'), key: new Secret(readFileSync(key, 'utf8')) };
    const server = createListener({ headersTimeout: 200 }, identity, () => {});
    const port = await listen(server);
    try {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      // By Node's own default it would last longer than any test.
      await once(socket, 'close');
      expect(socket.destroyed).toBe(true);
    } finally {
      server.close();
    }
  });
});
