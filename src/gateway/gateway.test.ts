// Which fronts a gateway may have.
import { describe, expect, test } from 'vitest';
import { FeedSts, gatewaySettings } from '../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { createGateway } from './gateway.ts';
import type { GatewaySettings, S3Settings } from './settings.ts';

const S3: S3Settings = { region: 'eu-test-1', buckets: [], store: { kind: 'disk', folder: '/nowhere' } };
const UPSTREAM = 'http://127.0.0.1:1';

const gatewayWith = (over: Partial<GatewaySettings>) => {
  const clock = new FrozenClock();
  return createGateway({
    settings: gatewaySettings(over),
    key: { unwrap: async () => ({ ok: true, value: new Uint8Array(32) }) },
    fetch: new FeedSts(clock).fetch,
    clock,
    random: { bytes: (length) => new Uint8Array(length) },
    log: new MemoryLog(),
  });
};

describe('a gateway', () => {
  test('has the front that its settings ask for, or none', () => {
    expect(gatewayWith({ upstream: UPSTREAM }).front).not.toBeNull();
    expect(gatewayWith({}).front).toBeNull();
  });

  test.each([
    ['two fronts', { s3: S3, upstream: UPSTREAM }],
    ['an S3 front without a store', { s3: S3 }],
    ['a door without objects', { doors: { blob: { account: 'acme', url: 'https://blob.example.com' }, gcs: null } }],
    [
      'a door to a guarded resource',
      { upstream: UPSTREAM, doors: { blob: null, gcs: { url: 'https://x.example.com' } } },
    ],
  ])('cannot have %s', (_what, over) => {
    expect(() => gatewayWith(over)).toThrow(expect.objectContaining({ code: 'ERR_GATEWAY_FRONT' }));
  });
});
