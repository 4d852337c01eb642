// The whole examination: one token, one trust policy, one issuer. It collects what the checks find; it prints nothing.

import { stringMember } from '../../../base/core/json.ts';
import type { EpochSeconds } from '../../../base/core/time.ts';
import type { ParsedJws } from '../../../base/jwt/jws.ts';
import { type Explanation, explain } from '../../../policy/explain.ts';
import type { PolicySet } from '../../../policy/policy-set.ts';
import { type Finding, type StsKind, unseen } from './finding.ts';
import { issuerFindings, type Thumbprint, thumbprintsOf } from './issuer-findings.ts';
import { issuerUrlFindings } from './issuer-url.ts';
import { fetchPublicIssuer, type Reach } from './public-issuer.ts';
import { tokenFindings } from './token-findings.ts';
import { type RoleDescription, trustFindings } from './trust-findings.ts';

/** What is examined. */
export interface Patient {
  readonly token: ParsedJws;
  /** The token's file ends with white space. */
  readonly fileHasTail: boolean;
  /** One AWS trust policy, and nothing else. */
  readonly policies: PolicySet;
  readonly role: RoleDescription;
  /** Where the issuer should be; absent: where the token and the policy agree that it is. */
  readonly issuerUrl: string | undefined;
  readonly sessionName: string | undefined;
  readonly sts: StsKind;
}

export interface Report {
  readonly issuer: string;
  /** `unavailable`: nothing disagrees, and not everything could be asked. */
  readonly verdict: 'agree' | 'disagree' | 'unavailable';
  readonly findings: readonly Finding[];
  readonly thumbprints: readonly Thumbprint[];
  readonly explanation: Explanation;
}

/** Makes every check that can be made from here. Holds no token and no secret. */
export async function examine(patient: Patient, o: { reach: Reach; now: EpochSeconds }): Promise<Report> {
  const { token, policies, issuerUrl, sts, sessionName } = patient;
  const named = stringMember(token.claims, 'iss') ?? '';
  const trusted = trustedIssuers(policies);
  const view = {
    issuer: named,
    claims: token.claims,
    now: o.now,
    ...(sessionName === undefined ? {} : { sessionName }),
  };
  const explanation = explain(policies, { token: view });
  const asked = await askIssuer({ patient, named, trusted }, o.reach);
  const findings = [
    ...issuerUrlFindings({ token: named, expected: issuerUrl, trusted, sts }),
    ...tokenFindings(token, { sts, now: o.now, fileHasTail: patient.fileHasTail }),
    ...explanation.roles.flatMap((role) => trustFindings(role, patient.role)),
    ...asked.findings,
  ];
  return { issuer: named, verdict: verdictOf(findings), findings, thumbprints: asked.thumbprints, explanation };
}

function verdictOf(findings: readonly Finding[]): Report['verdict'] {
  if (findings.some(({ outcome }) => outcome === 'wrong')) return 'disagree';
  return findings.some(({ outcome }) => outcome === 'unavailable') ? 'unavailable' : 'agree';
}

function trustedIssuers(policies: PolicySet): readonly string[] {
  const roles = [...policies.tenants()].flatMap((tenant) => [...policies.rolesOf(tenant)]);
  return roles.flatMap((role) => role.trust.flatMap((trust) => trust.issuers));
}

/** An issuer is asked only where the policy or the person names it: a token alone sends nobody anywhere. */
async function askIssuer(
  { patient, named, trusted }: { patient: Patient; named: string; trusted: readonly string[] },
  reach: Reach,
): Promise<{ readonly findings: readonly Finding[]; readonly thumbprints: readonly Thumbprint[] }> {
  const issuer = patient.issuerUrl ?? (trusted.includes(named) ? named : undefined);
  if (issuer === undefined) {
    const finding = unseen('discovery', 'not asked: nobody but the token names this issuer', '--issuer-url URL');
    return { findings: [finding], thumbprints: [] };
  }
  const found = await fetchPublicIssuer(issuer, reach);
  const findings = await issuerFindings(found, { issuer, token: patient.token, sts: patient.sts });
  return { findings, thumbprints: thumbprintsOf(found) };
}
