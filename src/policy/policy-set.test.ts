import { describe, expect, it } from 'vitest';
import { ISSUER, makeRole } from '../../test/fakes/roles.ts';
import type { Claims } from '../base/core/json.ts';
import { nearestRole } from './nearest.ts';
import { compilePattern } from './pattern.ts';
import { buildPolicySet, buildPolicySetSlowly, permissionSetId, withoutRoles } from './policy-set.ts';
import { sessionClaims } from './session-claims.ts';
import { jobpassTrust } from './trust/jobpass.ts';
import type { TokenView } from './trust/trust.ts';

const trust = (claims: string): string => `[{ issuer: ${ISSUER}, claims: { ${claims} } }]`;
const role = (name: string, claims = 'a: b', more: { tenant?: string; gateway?: string; permissions?: string } = {}) =>
  makeRole({ name, trust: trust(claims), ...more });

const view = (claims: Claims, issuer: string): TokenView => ({ issuer, claims, now: 0 });

describe('a policy set', () => {
  it('finds a role by tenant and name', () => {
    const [web, api] = [role('web'), role('api', 'a: b', { tenant: 'other' })];
    const set = buildPolicySet([web, api]);
    expect(set.size).toBe(2);
    expect(set.find({ tenant: 'main', name: 'web' })).toBe(web);
    expect(set.find({ tenant: 'other', name: 'api' })).toBe(api);
    expect(set.find({ tenant: 'main', name: 'api' })).toBeUndefined();
    expect([...set.rolesOf('other')]).toEqual([api]);
    expect([...set.rolesOf('none')]).toEqual([]);
  });

  it('finds a role by its ARN, across tenants, and no ARN has two', () => {
    const account = 'arn:aws:iam::000000000042:role';
    const assumed = (name: string, roleArn: string) => makeRole({ name, trust: trust('a: b'), roleArn });
    const [web, api] = [assumed('web', `${account}/ci/web`), assumed('api', `${account}/api`)];
    const set = buildPolicySet([web, api, role('plain')]);
    expect(set.findByAwsArn(`${account}/ci/web`)).toEqual(web.ref);
    expect(set.findByAwsArn(`${account}/web`)).toBeUndefined();
    expect(withoutRoles(set, [web.ref]).findByAwsArn(`${account}/ci/web`)).toBeUndefined();
    expect(withoutRoles(set, [web.ref]).findByAwsArn(`${account}/api`)).toEqual(api.ref);
    expect(() => buildPolicySet([web, assumed('copy', `${account}/WEB`)])).toThrow(
      expect.objectContaining({ code: 'ERR_ROLE_DUPLICATE' }),
    );
  });

  it('has an id that follows from the content of the files alone', () => {
    const id = (...roles: Parameters<typeof buildPolicySet>[0]): string => buildPolicySet(roles).id;
    expect(id(role('web'), role('api'))).toBe(id(role('api'), role('web')));
    expect(id(role('web'))).not.toBe(id(role('web', 'a: c')));
    expect(id(role('web'))).not.toBe(id(role('web', 'a: b', { tenant: 'other' })));
    expect(id(role('web'))).not.toBe(id());
    expect(id()).toMatch(/^[0-9a-f]{64}$/);
  });

  it('gives each group of gateways its own permissions under an id of their own', () => {
    const packages = { gateway: 'packages' };
    const set = buildPolicySet([role('web'), role('api'), role('npm', 'a: b', packages)]);
    expect(set.permissionsOf('artifacts').roles.map((one) => one.role)).toEqual(['main/api', 'main/web']);
    expect(set.permissionsOf('packages').roles.map((one) => one.role)).toEqual(['main/npm']);
    expect(set.permissionsOf('none').roles).toEqual([]);
    expect(set.permissionsOf('artifacts')).toBe(set.permissionsOf('artifacts'));
    expect(set.permissionsOf('artifacts').id).toBe(permissionSetId(set.permissionsOf('artifacts').roles));

    const other = buildPolicySet([role('web', 'x: changed'), role('api'), role('npm', 'a: b', packages)]);
    expect(other.id).not.toBe(set.id);
    expect(other.permissionsOf('artifacts').id).toBe(set.permissionsOf('artifacts').id);
    const denied = '[{ effect: deny, actions: ["http:GET"], resources: ["arn:jobpass:http:::artifacts/*"] }]';
    const changed = buildPolicySet([role('web', 'a: b', { permissions: denied }), role('api')]);
    expect(changed.permissionsOf('artifacts').id).not.toBe(set.permissionsOf('artifacts').id);
  });

  it('has an id for permissions that survives their way over the wire', () => {
    const set = buildPolicySet([role('web')]).permissionsOf('artifacts');
    const received = JSON.parse(JSON.stringify(set));
    expect(permissionSetId(received.roles)).toBe(set.id);
  });

  it('is the same when it is built with pauses, and is ready for every group then', async () => {
    const roles = Array.from({ length: 2500 }, (_, index) => role(`r${(index * 7919) % 2503}`));
    let breaths = 0;
    const set = await buildPolicySetSlowly(roles, () => {
      breaths += 1;
      return undefined;
    });
    expect(breaths).toBeGreaterThan(25);
    expect(set.id).toBe(buildPolicySet(roles).id);
    expect(set.permissionsOf('artifacts').id).toBe(buildPolicySet(roles).permissionsOf('artifacts').id);
    await expect(buildPolicySetSlowly([role('web'), role('web')], () => undefined)).rejects.toThrow('two files');
  });

  it('without some of its roles has none of them anywhere, and another id', () => {
    const set = buildPolicySet([role('web'), role('api'), role('web', 'a: b', { tenant: 'other' })]);
    const less = withoutRoles(set, [
      { tenant: 'main', name: 'web' },
      { tenant: 'main', name: 'none' },
    ]);
    expect(less.size).toBe(2);
    expect(less.find({ tenant: 'main', name: 'web' })).toBeUndefined();
    expect(less.find({ tenant: 'other', name: 'web' })).toBeDefined();
    expect([...less.rolesOf('main')].map(({ ref }) => ref.name)).toEqual(['api']);
    expect(less.permissionsOf('artifacts').roles.map((one) => one.role)).toEqual(['main/api', 'other/web']);
    const same = buildPolicySet([role('api'), role('web', 'a: b', { tenant: 'other' })]);
    expect(less.permissionsOf('artifacts').id).toBe(same.permissionsOf('artifacts').id);
    expect(less.id).not.toBe(set.id);
    expect(withoutRoles(set, [{ tenant: 'main', name: 'web' }]).id).toBe(less.id);
  });

  it('refuses two roles of one name', () => {
    expect(() => buildPolicySet([role('web'), role('web')])).toThrow(
      expect.objectContaining({ code: 'ERR_ROLE_DUPLICATE' }),
    );
  });
});

describe('the nearest role', () => {
  const set = buildPolicySet([
    role('asked', 'a: b'),
    role('far', 'a: b, c: d, e: f'),
    role('near', 'a: b, c: d'),
    role('same', 'a: b, c: d'),
    role('foreign', 'x: y', { tenant: 'other' }),
  ]);
  const except = { tenant: 'main', name: 'asked' };

  it('is the one with the fewest failing clauses, the first by name among equals, never the asked one', () => {
    const nearest = nearestRole(set, { token: view({ a: 'b', c: 'x' }, ISSUER), except });
    expect(nearest).toEqual({ ref: { tenant: 'main', name: 'near' }, file: 'main/near.yaml', missing: 1 });
    const held = nearestRole(set, { token: view({ a: 'b', c: 'd', e: 'f' }, ISSUER), except });
    expect(held).toMatchObject({ ref: { name: 'far' }, missing: 0 });
  });

  it('counts the safe defaults', () => {
    const nearest = nearestRole(set, { token: view({ a: 'b', c: 'd', fork: 'true' }, ISSUER), except });
    expect(nearest).toMatchObject({ ref: { name: 'near' }, missing: 1 });
  });

  it('is none when no other role of the tenant names the issuer', () => {
    expect(nearestRole(set, { token: view({}, 'https://x'), except })).toBeUndefined();
    expect(
      nearestRole(set, { token: view({ x: 'y' }, ISSUER), except: { tenant: 'none', name: 'a' } }),
    ).toBeUndefined();
  });

  it('is looked for among a bounded number of roles', () => {
    const one = role('r');
    const b = compilePattern('b');
    const clause = { claim: 'a', wanted: b.ok ? [b.value] : [], line: 1 };
    const many = Array.from({ length: 2500 }, (_, index) => {
      const name = `r${String(index).padStart(5, '0')}`;
      const clauses = index === 2400 ? [] : [clause];
      return { ...one, ref: { tenant: 'main', name }, trust: [jobpassTrust({ issuer: ISSUER, clauses, line: 1 })] };
    });
    expect(nearestRole(buildPolicySet(many), { token: view({}, ISSUER), except })).toMatchObject({ missing: 1 });
    expect(nearestRole(buildPolicySet(many.slice(2000)), { token: view({}, ISSUER), except })).toMatchObject({
      missing: 0,
    });
  });
});

describe('the claims of a session', () => {
  const permissions = `[{ effect: allow, actions: ["s3:*"], resources: ["arn:aws:s3:::web/\${claims.owner_id}/\${claims.job}", "arn:aws:s3:::x/\${claims.job}\${*}"] }]`;
  const web = role('web', 'a: b', { permissions });

  it('are those that the permissions mention, and no other', () => {
    const claims = { a: 'b', owner_id: '42', job: 'publish', secret: 'x' };
    expect(sessionClaims(web, claims)).toEqual({ ok: true, value: { owner_id: '42', job: 'publish' } });
    expect(sessionClaims(role('plain'), claims)).toEqual({ ok: true, value: {} });
  });

  it.each([undefined, '', 42, ['42'], null])('refuse the session when one is %j', (owner) => {
    const outcome = sessionClaims(web, JSON.parse(JSON.stringify({ job: 'x', owner_id: owner })));
    expect(!outcome.ok && outcome.error.reason).toBe('permission_denied');
  });
});
