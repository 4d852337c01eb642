// The doctor's examination of a fake public issuer's token by one cloud and one document of it. Nothing listens.
import type { Cloud } from '../../src/app/cli/doctor/cloud.ts';
import { examine, type Patient, type Report } from '../../src/app/cli/doctor/examine.ts';
import type { Finding } from '../../src/app/cli/doctor/finding.ts';
import type { JsonObject } from '../../src/base/core/json.ts';
import { buildPolicySet, type PolicySet } from '../../src/policy/policy-set.ts';
import { readPolicy } from '../../src/policy/read-policy.ts';
import { FakePublicIssuer, NOW } from './public-issuer.ts';

/** A document of a cloud as a set of one role. Throws when it is refused. */
export function documentSet(file: string, document: object): PolicySet {
  const role = readPolicy({ tenant: 'main', file, text: JSON.stringify(document) });
  if (!role.ok) throw new Error(JSON.stringify(role.error));
  return buildPolicySet([role.value]);
}

export interface Case {
  readonly cloud: Cloud;
  readonly policies: PolicySet;
  readonly issuer?: FakePublicIssuer;
  /** Replaced in the token; null leaves one out. */
  readonly claims?: JsonObject;
  readonly patient?: Partial<Patient>;
}

/** The report on a token of the issuer. */
export async function examined({ cloud, policies, issuer = new FakePublicIssuer(), ...o }: Case): Promise<Report> {
  const token = await issuer.token(o.claims);
  const patient = { token, cloud, policies, issuerUrl: undefined, sessionName: undefined, ...o.patient };
  return examine(patient, { reach: issuer.reach, now: NOW });
}

/** What each check found, by its name. */
export const outcomes = ({ findings }: Report): Readonly<Record<string, Finding['outcome']>> =>
  Object.fromEntries(findings.map(({ check, outcome }) => [check, outcome]));

/** The checks that fail or could not be made, in their order. */
export const failing = ({ findings }: Report): readonly string[] =>
  findings.filter(({ outcome }) => outcome === 'wrong' || outcome === 'unavailable').map(({ check }) => check);

/** The finding of one check. */
export const findingOf = ({ findings }: Report, check: string): Finding | undefined =>
  findings.find((one) => one.check === check);
