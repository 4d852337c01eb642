// Reads one policy in any dialect: a Jobpass role, or a cloud's own trust document standing for itself.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isJsonObject, type JsonValue } from '../base/core/json.ts';
import { MAX_POLICY_BYTES } from '../base/core/limits.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Problem } from '../base/document/problem.ts';
import { readDocument } from '../base/document/read.ts';
import { CLOUD_NAMES, cloudOf, readCloudFile } from './readers/cloud-policies.ts';
import { type PolicySource, type ReadRoleOptions, readRole } from './readers/jobpass.ts';
import type { Role } from './role.ts';
import type { Trust } from './trust/trust.ts';

export interface ReadPolicyOptions extends ReadRoleOptions {
  /** An AWS document standing for itself is for an STS that speaks like AWS's and has no AWS accounts, such as Ceph RGW's. */
  readonly anyAccount?: boolean;
}

const anyValue = z.unknown();
const ROLE_KEYS = ['role', 'trust', 'session', 'permissions'] as const;

/**
 * Reads a policy whose dialect is found by its shape: a Jobpass role, an AWS trust policy, a Google Cloud provider with its
 * bindings, or Azure federated identity credentials, each also as its cloud's own tools print it. A cloud's document becomes a
 * role named as its file that grants nothing but the answer. The error lists every problem. Never throws, whatever the text is.
 */
export function readPolicy(source: PolicySource, options: ReadPolicyOptions = {}): Result<Role, readonly Problem[]> {
  const document = readDocument(source, anyValue, { maxBytes: MAX_POLICY_BYTES });
  if (!document.ok) return document;
  // Read as JSON or YAML, which hold nothing else.
  const value = document.value.value as JsonValue;
  if (isJsonObject(value) && ROLE_KEYS.some((key) => Object.hasOwn(value, key))) return readRole(source, null, options);
  if (cloudOf(value) === undefined) {
    const known = `a Jobpass role, or a trust document of ${CLOUD_NAMES.join(', ')}`;
    return err([document.value.problemAt([], `wanted ${known}`)]);
  }
  const trust = readCloudFile(source, { anyAccount: options.anyAccount });
  return trust.ok ? ok(standalone(source, trust.value)) : trust;
}

/** The role of a document that has none. */
const standalone = ({ tenant, file, text }: PolicySource, trust: Trust): Role => ({
  ref: { tenant, name: (file.split('/').at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, '') },
  file,
  digest: createHash('sha256').update(text).digest('hex'),
  trust: [trust],
  session: { gateway: '', maxDurationSeconds: 0, singleUse: false },
  permissions: [],
  aws: null,
  gcp: null,
  azure: null,
});
