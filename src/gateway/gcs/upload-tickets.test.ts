// Ids of resumable uploads: whose they are, and that nobody else can use, change or make one.
import { describe, expect, test } from 'vitest';
import { Secret } from '../../base/core/secret.ts';
import { openTicket, sealTicket, type TicketScope } from './upload-tickets.ts';

const SCOPE: TicketScope = {
  groupKey: new Secret(new Uint8Array(32).fill(7)),
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
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
  });

  test.each<[string, Partial<TicketScope>]>([
    ['another owner', { owner: 'job 2' }],
    ['another bucket', { object: { bucket: 'other', key: 'a' } }],
    ['another object', { object: { bucket: 'web', key: 'b' } }],
    ['another group', { groupKey: new Secret(new Uint8Array(32).fill(8)) }],
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
