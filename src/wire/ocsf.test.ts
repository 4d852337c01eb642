// The events have what OCSF 1.6.0 requires of their classes: https://schema.ocsf.io/1.6.0/classes/authentication and …/api_activity.
import { expect, test } from 'vitest';
import { ACTIONS } from '../base/audit/record.ts';
import { actionRecord, grantedRecord, ISSUER, NOW, refusedRecord } from '../storage/conformance/fixtures.ts';
import { ocsfEvent } from './ocsf.ts';

const ORIGIN = { issuer: 'https://sts.example.com', writer: 'W1', sequence: 7 };
const granted = ocsfEvent({ kind: 'decision', ...grantedRecord('1') }, ORIGIN);
const refused = ocsfEvent({ kind: 'decision', ...refusedRecord('2', { reason: 'no_rule_matched' }) }, ORIGIN);
const actions = ACTIONS.map((action, index) => ocsfEvent(actionRecord(`${index}`, { action }), ORIGIN));

const REQUIRED = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];

test.each([granted, refused, ...actions].map((event) => [event.class_name, event] as const))(
  'an event of the class %s has what every event must have',
  (_class, event) => {
    for (const name of REQUIRED) expect(event).toHaveProperty(name);
    expect(event.type_uid).toBe(Number(event.class_uid) * 100 + Number(event.activity_id));
    expect(Math.floor(Number(event.class_uid) / 1000)).toBe(event.category_uid);
    expect(event.metadata).toMatchObject({
      version: '1.6.0',
      product: { vendor_name: 'Jobpass' },
      log_name: 'W1',
      sequence: 7,
    });
  },
);

test('a grant is a successful logon of the token’s subject to the role, with its session', () => {
  expect(granted).toMatchObject({
    class_uid: 3002,
    type_uid: 300201,
    status_id: 1,
    time: NOW * 1000 + 7,
    user: { uid: grantedRecord('1').subject, domain: ISSUER },
    service: { name: 'main/publish-web' },
    src_endpoint: { ip: '192.0.2.7' },
    session: { uid: 'S1' },
    metadata: { uid: 'D1', tenant_uid: 'main' },
  });
  expect(granted).not.toHaveProperty('status_code');
});

test('a refusal is a failed one, with its reason', () => {
  expect(refused).toMatchObject({ class_uid: 3002, status_id: 2, status_code: 'no_rule_matched' });
  expect(refused).not.toHaveProperty('session');
  expect(refused.metadata).not.toHaveProperty('tenant_uid');
});

test('an action is a call of whoever did it', () => {
  const record = actionRecord('1', { action: 'token.revoke', detail: { remoteAddress: '192.0.2.9' } });
  expect(ocsfEvent(record, ORIGIN)).toMatchObject({
    class_uid: 6003,
    activity_id: 4,
    actor: { user: { name: 'alice' } },
    api: { operation: 'token.revoke' },
    src_endpoint: { ip: '192.0.2.9' },
    resources: [{ name: 'S1' }],
  });
  for (const event of actions) expect(event.src_endpoint).toEqual({ name: 'local' });
  const server = actionRecord('1', { actor: { kind: 'server', name: 'sts' } });
  expect(ocsfEvent(server, ORIGIN)).toMatchObject({ actor: { user: { name: 'sts', type: 'System' } } });
});
