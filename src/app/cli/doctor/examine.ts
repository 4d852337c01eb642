// The whole examination: one token, one document of a cloud, one issuer. It collects what the checks find; it prints nothing.
import { stringMember } from '../../../base/core/json.ts';
import type { EpochSeconds } from '../../../base/core/time.ts';
import type { ParsedJws } from '../../../base/jwt/jws.ts';
import { type Explanation, explain } from '../../../policy/explain.ts';
import type { PolicySet } from '../../../policy/policy-set.ts';
import type { Cloud } from './cloud.ts';
import { type Finding, unseen } from './finding.ts';
import { issuerFindings, publishedKeys, type Thumbprint, thumbprintsOf } from './issuer-findings.ts';
import { issuerUrlFindings } from './issuer-url.ts';
import { fetchPublicIssuer, type PublicIssuer, type Reach } from './public-issuer.ts';

/** What is examined. */
export interface Patient {
  readonly token: ParsedJws;
  readonly cloud: Cloud;
  /** One document of that cloud, and nothing else. */
  readonly policies: PolicySet;
  /** Where the issuer should be; absent: where the token and the document agree that it is. */
  readonly issuerUrl: string | undefined;
  readonly sessionName: string | undefined;
}

export interface Report {
  readonly cloud: Cloud['id'];
  readonly issuer: string;
  /** `unavailable`: nothing disagrees, and not everything could be asked. */
  readonly verdict: 'agree' | 'disagree' | 'unavailable';
  readonly findings: readonly Finding[];
  readonly thumbprints: readonly Thumbprint[];
  readonly explanation: Explanation;
}

/** Makes every check that can be made from here. Holds no token and no secret. */
export async function examine(patient: Patient, o: { reach: Reach; now: EpochSeconds }): Promise<Report> {
  const { cloud, token, policies, issuerUrl, sessionName } = patient;
  const named = stringMember(token.claims, 'iss') ?? '';
  const trusted = trustedIssuers(policies);
  const view = {
    issuer: named,
    claims: token.claims,
    now: o.now,
    ...(sessionName === undefined ? {} : { sessionName }),
  };
  const explanation = explain(policies, { token: view });
  const found = await askIssuer({ patient, named, trusted }, o.reach);
  const findings = [
    ...issuerUrlFindings({ token: named, expected: issuerUrl, trusted }, cloud),
    ...cloud.tokenFindings(token, o.now),
    ...explanation.roles.flatMap((role) => cloud.trustFindings(role, token.claims)),
    ...(found === undefined ? [NOT_ASKED] : await issuerFindings(found, { issuer: issuerUrl ?? named, token, cloud })),
    ...(await cloud.keyFindings(found === undefined ? undefined : publishedKeys(found), token)),
  ];
  const thumbprints = found !== undefined && cloud.wantsThumbprints ? thumbprintsOf(found) : [];
  return { cloud: cloud.id, issuer: named, verdict: verdictOf(findings), findings, thumbprints, explanation };
}

const NOT_ASKED = unseen('discovery', 'not asked: nobody but the token names this issuer', '--issuer-url URL');

function verdictOf(findings: readonly Finding[]): Report['verdict'] {
  if (findings.some(({ outcome }) => outcome === 'wrong')) return 'disagree';
  return findings.some(({ outcome }) => outcome === 'unavailable') ? 'unavailable' : 'agree';
}

function trustedIssuers(policies: PolicySet): readonly string[] {
  const roles = [...policies.tenants()].flatMap((tenant) => [...policies.rolesOf(tenant)]);
  return roles.flatMap((role) => role.trust.flatMap((trust) => trust.issuers));
}

/** An issuer is asked only where the document or the person names it: a token alone sends nobody anywhere. */
async function askIssuer(
  { patient, named, trusted }: { patient: Patient; named: string; trusted: readonly string[] },
  reach: Reach,
): Promise<PublicIssuer | undefined> {
  const issuer = patient.issuerUrl ?? (trusted.includes(named) ? named : undefined);
  return issuer === undefined ? undefined : fetchPublicIssuer(issuer, reach);
}
