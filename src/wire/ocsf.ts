// Audit records in the shape of the Open Cybersecurity Schema Framework, version 1.6.0: decisions are events of its class
// Authentication (3002), actions of API Activity (6003). https://schema.ocsf.io/1.6.0/
import type { ActionRecord, AuditRecord } from '../base/audit/record.ts';
import { formatRoleRef } from '../base/core/decision.ts';
import type { JsonObject } from '../base/core/json.ts';

const VERSION = '1.6.0';
const AUTHENTICATION = { category_uid: 3, class_uid: 3002, category_name: 'Identity & Access Management' } as const;
const API_ACTIVITY = { category_uid: 6, class_uid: 6003, category_name: 'Application Activity' } as const;
/** Authentication: Logon. */
const LOGON = 1;
/** Of `auth_protocol_id`. */
const OPENID = 4;
const SUCCESS = { status_id: 1, status: 'Success' } as const;
const FAILURE = { status_id: 2, status: 'Failure' } as const;
/** Of `severity_id`: refusals are every day's business, too. */
const INFORMATIONAL = { severity_id: 1, severity: 'Informational' } as const;

/** Of API Activity: what an action does to its target. */
const ACTIVITY = { create: 1, update: 3, delete: 4 } as const;
const ACTIVITY_OF: Readonly<Record<ActionRecord['action'], keyof typeof ACTIVITY>> = {
  'session.end': 'delete',
  'job.end': 'delete',
  'session.repeat': 'update',
  'token.revoke': 'delete',
  'epoch.raise': 'create',
  'freeze.on': 'create',
  'freeze.off': 'delete',
  'key.prepare': 'create',
  'key.activate': 'update',
  'key.retire': 'update',
  'key.revoke': 'delete',
  'key.rewrap': 'update',
  'audit.prune': 'delete',
  'store.begin_anew': 'update',
  'policy.activate': 'update',
};

/** Where a record stands in its chain, and whose it is. */
export interface Origin {
  /** The server's URL. */
  readonly issuer: string;
  readonly writer: string;
  readonly sequence: number;
}

/** The event of one record. What the schema has no place for stands in `unmapped`. */
export function ocsfEvent(record: AuditRecord, origin: Origin): JsonObject {
  return record.kind === 'decision' ? authentication(record, origin) : apiActivity(record, origin);
}

function authentication(record: Extract<AuditRecord, { kind: 'decision' }>, origin: Origin): JsonObject {
  const { claims, detail, issuer, jobId, outcome, reason, remoteAddress, role, sessionId, subject, tokenId } = record;
  return {
    ...AUTHENTICATION,
    class_name: 'Authentication',
    activity_id: LOGON,
    activity_name: 'Logon',
    type_uid: AUTHENTICATION.class_uid * 100 + LOGON,
    ...INFORMATIONAL,
    ...(outcome === 'granted' ? SUCCESS : FAILURE),
    ...(reason === null ? {} : { status_code: reason }),
    status_detail: detail,
    time: record.at,
    metadata: metadata(record, origin, role?.tenant ?? null),
    user: { name: subject, uid: subject, domain: issuer, type_id: 3, type: 'System' },
    service: { name: role === null ? '' : formatRoleRef(role), uid: origin.issuer },
    src_endpoint: endpoint(remoteAddress),
    auth_protocol_id: OPENID,
    auth_protocol: 'OpenID',
    is_remote: true,
    ...(sessionId === null ? {} : { session: { uid: sessionId, issuer: origin.issuer, is_remote: true } }),
    unmapped: { wire: record.wire, job_id: jobId, token_id: tokenId, claims },
  };
}

function apiActivity(record: ActionRecord, origin: Origin): JsonObject {
  const { action, actor, detail, target } = record;
  const activity = ACTIVITY_OF[action];
  const type = actor.kind === 'server' ? { type_id: 3, type: 'System' } : { type_id: 2, type: 'Admin' };
  const user = { name: actor.name === '' ? actor.kind : actor.name, ...(actor.kind === 'bearer' ? {} : type) };
  const from = typeof detail.remoteAddress === 'string' ? detail.remoteAddress : '';
  return {
    ...API_ACTIVITY,
    class_name: 'API Activity',
    activity_id: ACTIVITY[activity],
    activity_name: activity[0]?.toUpperCase() + activity.slice(1),
    type_uid: API_ACTIVITY.class_uid * 100 + ACTIVITY[activity],
    ...INFORMATIONAL,
    ...SUCCESS,
    time: record.at,
    metadata: metadata(record, origin, record.tenant),
    actor: { user },
    api: { operation: action, service: { name: origin.issuer } },
    src_endpoint: endpoint(from),
    resources: [{ name: target }],
    unmapped: { actor_kind: actor.kind, detail },
  };
}

const metadata = (record: AuditRecord, { sequence, writer }: Origin, tenant: string | null): JsonObject => ({
  version: VERSION,
  product: { name: 'Jobpass', vendor_name: 'Jobpass' },
  uid: record.id,
  log_name: writer,
  sequence,
  original_time: new Date(record.at).toISOString(),
  ...(tenant === null ? {} : { tenant_uid: tenant }),
});

/** The schema wants at least a name: of whoever came over the operators' socket there is no address. */
const endpoint = (address: string): JsonObject => (address === '' ? { name: 'local' } : { ip: address });
