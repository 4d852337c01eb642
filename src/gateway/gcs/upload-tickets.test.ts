// Ids of resumable uploads: whose they are, and that nobody else can use, change or make one.
import { describe, expect, test } from 'vitest';
import { groupKeysOf } from '../../../test/fakes/group-keys.ts';
import { openTicket, sealTicket, type TicketScope } from './upload-tickets.ts';

const SCOPE: TicketScope = {
  groupKeys: groupKeysOf(7),
  owner: 'job 1',
  object: { bucket: 'web', key: 'a' },
};
const TICKET = {
  uploadId: 'U1',
  attributes: { contentType: 'text/x', metadata: { job: '7' } },
  conditions: { ifGenerationMatch: 0 },
  hashes: { crc32c: 'yZRlqg==' },
};
const sealed = sealTicket(SCOPE, TICKET);

describe('the ticket of a resumable upload', () => {
  test('says at its end what was said at its beginning', () => {
    expect(openTicket(SCOPE, sealed)).toEqual(TICKET);
  });

  test('is good as long as the key that it was made with lives, whichever is the active one', () => {
    expect(openTicket({ ...SCOPE, groupKeys: groupKeysOf(7, 8) }, sealed)).toEqual(TICKET);
    expect(openTicket(SCOPE, sealTicket({ ...SCOPE, groupKeys: groupKeysOf(7, 8) }, TICKET))).toBeUndefined();
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
  });

  test.each<[string, Partial<TicketScope>]>([
    ['another owner', { owner: 'job 2' }],
    ['another bucket', { object: { bucket: 'other', key: 'a' } }],
    ['another object', { object: { bucket: 'web', key: 'b' } }],
    ['another group', { groupKeys: groupKeysOf(8) }],
  ])('is none for %s', (_what, over) => {
    expect(openTicket({ ...SCOPE, ...over }, sealed)).toBeUndefined();
  });

  const [text = '', mac = ''] = sealed.split('.');
  const other = sealTicket(SCOPE, { ...TICKET, conditions: {} }).split('.')[0] ?? '';
  test.each([
    ['another content', `${other}.${mac}`],
    ['no MAC', text],
    ['an empty MAC', `${text}.`],
    ['a MAC in another spelling', `${text}.${mac}=`],
    ['more behind it', `${sealed}.x`],
    ['nothing in front', `.${mac}`],
    ['nothing at all', ''],
  ])('is none with %s', (_what, presented) => {
    expect(openTicket(SCOPE, presented)).toBeUndefined();
  });
});
