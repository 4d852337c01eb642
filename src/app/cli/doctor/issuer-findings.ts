// Whether what an issuer publishes verifies one token, and what of it is registered by hand. It fetches nothing.
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, ownMember, stringMember } from '../../../base/core/json.ts';
import type { Reason } from '../../../base/core/reasons.ts';
import { importKeySet } from '../../../base/jwt/jwk.ts';
import type { ParsedJws } from '../../../base/jwt/jws.ts';
import { verifyJws } from '../../../base/jwt/verify.ts';
import type { Cloud } from './cloud.ts';
import { type Finding, holds, unavailable, unseen, wrong } from './finding.ts';
import type { NoDocument, PublicIssuer } from './public-issuer.ts';

/** A SHA-1 that a cloud may be told of. */
export interface Thumbprint {
  /** `x5c`: of a signing key, for Ceph RGW. `tls`: of the server's chain, for AWS. */
  readonly kind: 'x5c' | 'tls';
  /** The key's id, or the certificate's name. */
  readonly of: string;
  readonly sha1: string;
}

interface Asked {
  readonly issuer: string;
  readonly token: ParsedJws;
  readonly cloud: Cloud;
}

/** Every check of what was fetched. */
export async function issuerFindings(found: PublicIssuer, asked: Asked): Promise<readonly Finding[]> {
  const { cloud } = asked;
  if (!found.discovery.ok) return [documentProblem('discovery', found.discovery.error, cloud)];
  return [
    discoveryFinding(found.discovery.value, asked.issuer),
    reachFinding(found, cloud),
    ...(await keyFindings(found, asked)),
  ];
}

/** The thumbprints of every published certificate, in the order in which they stand. */
export function thumbprintsOf(found: PublicIssuer): readonly Thumbprint[] {
  const chain = found.certificates?.ok === true ? found.certificates.value : [];
  return [
    ...(publishedKeys(found) ?? []).flatMap((key): readonly Thumbprint[] => {
      const certificate = certificateOf(key);
      if (certificate === undefined) return [];
      const sha1 = createHash('sha1').update(Buffer.from(certificate, 'base64')).digest('hex');
      return [{ kind: 'x5c', of: stringMember(key, 'kid') ?? 'a key without an id', sha1 }];
    }),
    ...chain.map(({ name, sha1, selfSigned }): Thumbprint => {
      return { kind: 'tls', of: selfSigned ? `${name} (root)` : name, sha1 };
    }),
  ];
}

function documentProblem(check: string, { kind, detail }: NoDocument, { fetchesKeys, name }: Cloud): Finding {
  if (!fetchesKeys) return unseen(check, `${detail}; ${name} was given the keys and does not ask for them`);
  if (kind === 'bad_answer') return wrong(check, detail, 'serve it as issued, with status 200 and no redirect');
  if (kind === 'redirect_refused')
    return wrong(check, `${detail}: an STS follows no redirect`, 'serve it at its own URL');
  if (kind === 'address_refused')
    return wrong(check, detail, 'an STS connects to public addresses over https: give the issuer one');
  return unavailable(
    check,
    `${kind}: ${detail}`,
    'start the issuer or its proxy; where its certificate is of a private authority, set NODE_EXTRA_CA_CERTS',
  );
}

/** OpenID Connect Discovery 1.0 §4.3. */
function discoveryFinding(document: JsonObject, issuer: string): Finding {
  const named = stringMember(document, 'issuer');
  return named === issuer
    ? holds('discovery', 'names this issuer')
    : wrong('discovery', `names the issuer ${named ?? 'nowhere'}`, `it must say exactly ${issuer}`);
}

function reachFinding({ network }: PublicIssuer, { fetchesKeys, isItself, name, page }: Cloud): Finding {
  if (!fetchesKeys) return unseen('reachable', `not needed: ${name} was given the keys`);
  if (network === 'public')
    return unseen('reachable', 'at a public address, from here; from where the STS is cannot be seen');
  const where = network === 'loopback' ? 'only this machine reaches it' : 'its address is a private one';
  return isItself
    ? wrong('reachable', `${where}: ${name} fetches from the internet`, `publish discovery and key set, see ${page}`)
    : unseen('reachable', `${where}; whether the STS does cannot be seen from here`);
}

async function keyFindings(found: PublicIssuer, { cloud, token }: Asked): Promise<readonly Finding[]> {
  const { jwks, jwksUri } = found;
  if (jwks === undefined || jwksUri === undefined)
    return [wrong('key set', 'the discovery document names none', 'it must say jwks_uri, an https URL')];
  if (!jwks.ok) return [documentProblem('key set', jwks.error, cloud)];
  const imported = importKeySet(jwks.value);
  if (!imported.ok) return [wrong('key set', imported.error.detail, 'serve what the issuer serves, unchanged')];
  const { keys, problems } = imported.value;
  const summary = `${keys.length} ${keys.length === 1 ? 'key' : 'keys'} at ${jwksUri}`;
  return [
    problems.length === 0
      ? holds('key set', summary)
      : wrong('key set', `${summary}; ${problems.join('; ')}`, 'an STS may refuse the whole set: remove these keys'),
    await signatureFinding(token, keys, { cloud }),
    ...(cloud.fetchesKeys ? chainFindings(found) : []),
  ];
}

/** Whether one of `keys` signed the token. `check`: what the finding is called; `fix`: what helps against unknown keys. */
export async function signatureFinding(
  token: ParsedJws,
  keys: Parameters<typeof verifyJws>[1],
  {
    check = 'signature',
    cloud,
    fix,
  }: { readonly check?: string; readonly cloud: Pick<Cloud, 'algorithms'>; readonly fix?: string },
): Promise<Finding> {
  const verified = await verifyJws(token, keys, cloud);
  if (verified.ok) return holds(check, `${token.header.alg} by key ${verified.value.kid ?? 'without an id'}`);
  const { reason, detail } = verified.error;
  return wrong(check, detail, fix ?? SIGNATURE_FIXES[reason] ?? 'the key set must hold the key that signed, once');
}

const SIGNATURE_FIXES: Readonly<Partial<Record<Reason, string>>> = {
  algorithm_refused: 'set issuer.algorithm to RS256',
  key_unknown: 'take a fresh token; when that fails too, what is published is not this issuer’s key set',
  signature_invalid: 'the token was changed on its way, or another issuer of the same key id made it',
};

function chainFindings({ certificates }: PublicIssuer): readonly Finding[] {
  if (certificates === undefined) return [];
  if (certificates.ok) return [holds('tls', `a chain of ${certificates.value.length} that this machine trusts`)];
  const fix =
    'serve the whole chain; for a private authority set NODE_EXTRA_CA_CERTS here and register its thumbprint there';
  return [wrong('tls', certificates.error.detail, fix)];
}

/** The keys that the issuer publishes, as they stand there; undefined when they were not had. */
export function publishedKeys({ jwks }: PublicIssuer): readonly JsonObject[] | undefined {
  if (jwks?.ok !== true) return undefined;
  const keys = ownMember(jwks.value, 'keys');
  return Array.isArray(keys) ? keys.filter(isJsonObject) : [];
}

/** RFC 7517 §4.7: the first certificate is the key's own. */
export function certificateOf({ x5c }: JsonObject): string | undefined {
  const certificate = Array.isArray(x5c) ? x5c[0] : undefined;
  return typeof certificate === 'string' ? certificate : undefined;
}
