import { describe, expect, it } from 'vitest';
import type { Epoch } from '../../base/core/epoch.ts';
import { decodeFeedMessage, encodeFeedMessage, feedPollQuery, parseFeedPoll } from './codec.ts';
import { epochsIdOf, NO_EPOCHS_ID } from './epochs.ts';
import type { FeedMessage } from './message.ts';

const small: FeedMessage = {
  issuer: 'https://sts.example.com',
  gateway: 'artifacts-1',
  group: 'artifacts',
  signedAt: 1_800_000_000,
  nonce: 'abcdefghijklmnop',
  store: 'store-1',
  ended: [],
  cursor: 0,
  more: false,
  issuerAgesMs: { 'https://ci.example.com': 120, 'https://other.example.com': null },
  permissionSetId: 'aa11',
  keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k' }],
  groupKeySetId: 'gk1',
};
const EPOCHS: readonly Epoch[] = [
  { scope: 'all', at: 0 },
  { scope: 'issuer', name: 'https://ci.example.com', at: 1_800_000_000 },
  { scope: 'tenant', name: 'main', at: 7 },
  { scope: 'role', name: 'main/publish-web', at: 8 },
];
const full: FeedMessage = {
  ...small,
  ended: [{ sessionId: 'S1', expiresAt: 1_800_000_100 }],
  epochsId: epochsIdOf(EPOCHS),
  epochs: EPOCHS,
  cursor: 7,
  more: true,
  permissions: {
    id: 'aa11',
    roles: [
      {
        role: 'main/publish-web',
        statements: [
          { effect: 'allow', actions: ['http:PUT'], resources: ['arn:jobpass:http:::g/web/*'], line: 14 },
          {
            effect: 'deny',
            actions: ['http:PUT'],
            resources: ['arn:jobpass:http:::g/web/*'],
            conditions: { StringEquals: { 'http:Query/force': ['true', '1'] }, Null: { 'http:Query/a': false } },
            line: 15,
          },
        ],
      },
    ],
  },
  groupKeys: {
    keys: [
      { id: 'gk0', wrapped: ['z.b.c.d.e'] },
      { id: 'gk1', wrapped: ['a.b.c.d.e', 'f.g.h.i.j'] },
    ],
    activeId: 'gk1',
  },
};

describe('a feed message', () => {
  it.each([
    ['without news', small],
    ['with everything', full],
    ['with one group key', { ...small, groupKeys: { keys: [{ id: 'gk1', wrapped: ['a'] }], activeId: 'gk1' } }],
  ])('%s comes back as it was encoded, through JSON', (_name, message) => {
    const claims = JSON.parse(JSON.stringify(encodeFeedMessage(message)));
    expect(decodeFeedMessage(claims)).toEqual({ ok: true, value: message });
  });

  const claims = encodeFeedMessage(full);
  const GROUP_KEYS = full.groupKeys?.keys ?? [];
  it.each([
    ['an unknown member, which may be a reason to refuse', { ...claims, freezes: [] }],
    ['epochs without their id', Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'epochs_id'))],
    ['an epoch of an unknown scope', { ...claims, epochs: [{ scope: 'group', name: 'artifacts', at: 1 }] }],
    ['an epoch of everything that has a name', { ...claims, epochs: [{ scope: 'all', name: 'x', at: 1 }] }],
    ['an epoch of a role that it does not name', { ...claims, epochs: [{ scope: 'role', at: 1 }] }],
    ['an epoch without its moment', { ...claims, epochs: [{ scope: 'all' }] }],
    ['an epoch that says more than is known here', { ...claims, epochs: [{ scope: 'all', at: 1, until: 2 }] }],
    ['a permission set with another id than the named one', { ...claims, permission_set: 'bb' }],
    ['group keys without the active one', { ...claims, group_keys: { keys: GROUP_KEYS, active: 'other' } }],
    ['two forms of group keys', { ...claims, group_key: { id: 'gk1', wrapped: ['a'] } }],
    [
      'one group key with another id than the named one',
      { ...encodeFeedMessage(small), group_key: { id: 'gk2', wrapped: ['a'] } },
    ],
    ['an audience of another kind', { ...claims, aud: 'urn:jobpass:gateway:artifacts' }],
    ['an audience that names no gateway', { ...claims, aud: 'urn:jobpass:feed:' }],
    ['several audiences', { ...claims, aud: ['urn:jobpass:feed:artifacts-1'] }],
    ['no store', Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'store'))],
    [
      'a group key wrapped for nobody',
      { ...claims, group_keys: { keys: [{ id: 'gk0', wrapped: [] }, GROUP_KEYS[1]], active: 'gk1' } },
    ],
    ['no group keys', { ...claims, group_keys: { keys: [], active: 'gk1' } }],
    [
      'more group keys than one message may hold',
      { ...claims, group_keys: { keys: Array(51).fill(GROUP_KEYS[1]), active: 'gk1' } },
    ],
    ['no keys', { ...claims, keys: [] }],
    ['a negative age', { ...claims, issuer_ages_ms: { 'https://ci.example.com': -1 } }],
    ['a fractional cursor', { ...claims, cursor: 0.5 }],
    ['a missing nonce', Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'nonce'))],
    ['more ended sessions than one message may hold', { ...claims, ended: Array(1001).fill({ sid: 'S1', exp: 1 }) }],
    [
      'an effect that is neither allow nor deny',
      {
        ...claims,
        permissions: {
          id: 'aa11',
          roles: [{ role: 'a/b', statements: [{ effect: 'Allow', actions: [], resources: [], line: 1 }] }],
        },
      },
    ],
    [
      'conditions of another form',
      {
        ...claims,
        permissions: {
          id: 'aa11',
          roles: [
            {
              role: 'a/b',
              statements: [{ effect: 'allow', actions: [], resources: [], conditions: { Null: 'x' }, line: 1 }],
            },
          ],
        },
      },
    ],
  ])('is refused with %s', (_name, broken) => {
    const result = decodeFeedMessage(broken);
    expect(!result.ok && result.error.reason).toBe('claim_malformed');
  });
});

describe('a feed poll', () => {
  it.each([
    { nonce: 'abcdefghijklmnop', cursor: 0, store: null, permissionSetId: null, groupKeySetId: null, epochsId: null },
    {
      nonce: 'abcdefghijklmnop',
      cursor: 12,
      store: 'store-1',
      permissionSetId: 'aa11',
      groupKeySetId: 'gks1',
      epochsId: 'ee',
    },
  ])('comes back as it was written', (poll) => {
    expect(parseFeedPoll(feedPollQuery(poll))).toEqual({ ok: true, value: poll });
  });

  it.each([
    ['no nonce', 'cursor=0'],
    ['a short nonce', 'nonce=abc&cursor=0'],
    ['a nonce with other characters', 'nonce=abcdefghijklmno%20&cursor=0'],
    ['no cursor', 'nonce=abcdefghijklmnop'],
    ['a cursor that is no whole number', 'nonce=abcdefghijklmnop&cursor=1e3'],
    ['a cursor beyond exact integers', 'nonce=abcdefghijklmnop&cursor=9999999999999999'],
    ['a repeated parameter', 'nonce=abcdefghijklmnop&cursor=0&cursor=1'],
  ])('with %s is refused', (_name, query) => {
    const result = parseFeedPoll(query);
    expect(!result.ok && result.error.reason).toBe('request_malformed');
  });
});

describe('the id of epochs', () => {
  it('is the same in whatever order, and another for any difference', () => {
    expect(epochsIdOf(EPOCHS.toReversed())).toBe(epochsIdOf(EPOCHS));
    const others = [EPOCHS.slice(1), EPOCHS.map((one) => ({ ...one, at: one.at + 1 })), []];
    expect(new Set([EPOCHS, ...others].map(epochsIdOf)).size).toBe(4);
    expect(epochsIdOf([{ scope: 'tenant', name: 'main', at: 1 }])).not.toBe(
      epochsIdOf([{ scope: 'role', name: 'main', at: 1 }]),
    );
  });

  it('of none is fixed: gateways of other versions know it too', () => {
    expect(NO_EPOCHS_ID).toBe('4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945');
  });
});
