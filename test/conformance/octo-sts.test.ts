// The strings of octo-sts's own validation tests against our rules, each departure from its verdicts as data. Issuers are
// what an operator registers; subjects and audiences are what tokens carry.
import { readFileSync } from 'node:fs';
import { expect, it, test } from 'vitest';
import { z } from 'zod';
import { loadPlan } from '../../src/app/config/load.ts';
import { configSchema } from '../../src/app/config/schema.ts';
import { checkAudience } from '../../src/base/jwt/claims.ts';
import { checkSubject } from '../../src/sts/verifier/checks.ts';
import { findIssuer, trustedIssuers } from '../../src/sts/verifier/trusted-issuers.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Case = z.object({ name: z.string(), value: z.string(), valid: z.boolean() });
const Vectors = z.object({ issuer: z.array(Case), subject: z.array(Case), audience: z.array(Case) });

const AUDIENCE = 'https://sts.example.com';

/** Whether an operator can register this. `network: loopback` is what the operator writes for an issuer on this machine. */
function takesRegistration(registration: { readonly issuer: string; readonly audiences?: readonly string[] }): boolean {
  const isLocal = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/.test(registration.issuer);
  const trusted = { ...registration, ...(isLocal ? { network: 'loopback' } : {}) };
  const config = configSchema.safeParse({ sts: { url: AUDIENCE, trusted_issuers: [trusted] } });
  if (!config.success) return false;
  const positionOf = () => ({ line: 1, column: 1 });
  const plan = loadPlan({ file: 'jobpass.yaml', folder: '/nowhere', value: config.data, positionOf }, {});
  return plan.ok || !plan.error.some(({ path }) => path.startsWith('sts.trusted_issuers'));
}

const OURS: Readonly<Record<keyof z.infer<typeof Vectors>, (value: string) => boolean>> = {
  issuer: (issuer) => takesRegistration({ issuer }),
  subject: (sub) => checkSubject({ sub }).ok,
  // A token passes when its audience is registered, so both must take it.
  audience: (aud) =>
    takesRegistration({ issuer: 'https://ci.example.com', audiences: [aud] }) && checkAudience({ aud }, [aud]).ok,
};
interface Departure {
  readonly kind: keyof typeof OURS;
  /** The names of the vectors. */
  readonly names: readonly string[];
  readonly ours: 'taken' | 'refused';
  /** Stands word for word in docs/spec-choices.md. */
  readonly why: string;
}

const DEPARTURES: readonly Departure[] = [
  {
    kind: 'issuer',
    names: ['issuer with trailing slash', 'issuer with path and trailing slash'],
    ours: 'refused',
    why: 'one spelling of each URL, so that two registrations never mean one issuer',
  },
  {
    kind: 'issuer',
    names: [
      'issuer with percent encoding',
      'issuer with double slashes in path',
      'issuer with triple slashes in path',
      'issuer with double tildes',
      'issuer ending with tilde (backup file)',
      'issuer with tilde segment',
    ],
    ours: 'taken',
    why: 'the operator writes the issuer, no token does; a path is never decoded or normalised, and `iss` must equal it byte for byte',
  },
  {
    kind: 'issuer',
    names: ['issuer too long', 'issuer with very long path segment'],
    ours: 'taken',
    why: 'the length of what the operator writes is bounded by the file; an `iss` of another length equals none',
  },
  {
    kind: 'subject',
    names: [
      'subject with space',
      'subject with single quote',
      'subject with double quote',
      'subject with script tags',
      'subject with brackets',
      'subject with braces',
      'subject with semicolon',
    ],
    ours: 'taken',
    why: 'names of branches, environments and workflows hold such characters; a subject is compared, never interpreted, and escaped where it is printed',
  },
  {
    kind: 'subject',
    names: ['subject with Unicode', 'subject with emoji'],
    ours: 'refused',
    why: 'OIDC Core §2 wants ASCII; characters that look alike cannot stand in for each other',
  },
  {
    kind: 'audience',
    names: [
      'audience with space',
      'audience with newline',
      'audience with special characters',
      'audience with at sign',
    ],
    ours: 'taken',
    why: 'RFC 7519 §4.1.3 takes any text; a token’s audience must equal a registered one byte for byte',
  },
];

const kinds = ['issuer', 'subject', 'audience'] as const;

describeVectors('octo-sts', () => {
  const vectors = Vectors.parse(readVectors('octo-sts/validate.json'));
  const departureOf = (kind: string, name: string) =>
    DEPARTURES.find((departure) => departure.kind === kind && departure.names.includes(name));

  it('are 43 issuers, 29 subjects and 11 audiences', () => {
    expect(kinds.map((kind) => vectors[kind].length)).toEqual([43, 29, 11]);
  });

  it.each(kinds.flatMap((kind) => vectors[kind].map((vector) => ({ kind, ...vector }))))(
    '$kind: $name',
    ({ kind, name, value, valid }) => {
      const departure = departureOf(kind, name);
      expect(OURS[kind](value)).toBe(departure === undefined ? valid : departure.ours === 'taken');
      // A departure that no longer departs is a mistake in the list.
      if (departure !== undefined) expect(OURS[kind](value)).toBe(!valid);
    },
  );

  it('every departure names vectors that exist', () => {
    for (const { kind, names } of DEPARTURES)
      for (const name of names) expect(vectors[kind].map((vector) => vector.name)).toContain(name);
  });

  it('an issuer that we take and they refuse lets in its own spelling and no other', () => {
    const taken = vectors.issuer.filter(({ name }) => departureOf('issuer', name)?.ours === 'taken');
    expect(taken).toHaveLength(8);
    for (const { value } of taken) {
      const known = trustedIssuers([registered(value)]);
      expect(findIssuer(known, value).ok).toBe(true);
      const url = new URL(value);
      const others = [
        `${value}/`,
        decodeURIComponent(value),
        new URL(decodeURIComponent(value)).href,
        url.origin,
        value.replace(/([^:])\/{2,}/g, '$1/'),
        value.replace('~', '%7E'),
        value.toUpperCase(),
        value.slice(0, 255),
      ].filter((other) => other !== value);
      expect(others.length).toBeGreaterThanOrEqual(3);
      for (const other of others)
        expect(findIssuer(known, other), other).toMatchObject({ error: { reason: 'issuer_unknown' } });
    }
  });

  it('an audience that we take and they refuse lets in itself and no other', () => {
    for (const { value } of vectors.audience.filter(({ name }) => departureOf('audience', name)?.ours === 'taken'))
      for (const other of [value.trim(), `${value} `, value.toUpperCase(), value.split(/[ <@]/)[0] ?? ''])
        if (other !== value) expect(checkAudience({ aud: other }, [value]).ok, other).toBe(false);
  });
});

const registered = (issuer: string) => ({
  issuer,
  audiences: [AUDIENCE],
  algorithms: ['RS256'],
  network: 'public' as const,
  jobStatus: { kind: 'none' as const },
  maxSessionSeconds: null,
  pinnedJwks: null,
});

test('each departure from octo-sts is explained in docs/spec-choices.md', () => {
  const page = readFileSync('docs/spec-choices.md', 'utf8');
  for (const { why } of DEPARTURES) expect(page).toContain(why);
});
