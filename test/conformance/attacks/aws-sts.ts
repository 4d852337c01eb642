// Attacks on AWS STS's wire, each against a whole STS: what own/attacks.json says of them must happen here too.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  assumedCredentials,
  assumeRole,
  type Bent,
  type Credentials,
  callerIdentity,
  codeOf,
  memberOf,
  signedCall,
  withoutId,
} from '../../fakes/aws-calls.ts';
import { DEPLOY_ARN, deployPolicies } from '../../fakes/aws-role.ts';
import { propertyRuns } from '../../fakes/property-runs.ts';
import { StsWorld } from '../../fakes/sts-world.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start({ policies: deployPolicies() });
});
afterEach(() => world.close());

type Changes = Parameters<typeof assumeRole>[2];

const token = (claims: Parameters<StsWorld['issuer']['idToken']>[0] = {}) => world.issuer.idToken(claims);
const assume = async (changes: Changes, claims = {}) => assumeRole(world, await token(claims), changes);
const codeWith = async (changes: Changes): Promise<unknown> => codeOf(await assume(changes));
const who = async (credentials: Credentials, bent: Bent = {}): Promise<unknown> =>
  codeOf(await callerIdentity(world, credentials, bent));

const DENIED = [403, 'AccessDenied'];
const INVALID = [400, 'ValidationError'];
const MALFORMED = [400, 'MalformedInput'];
const NOBODY = [403, 'InvalidClientTokenId'];
const MISMATCH = [403, 'SignatureDoesNotMatch'];
const STRANGERS_ARN = DEPLOY_ARN.replace('000000000042', '000000000043');

/** The tests of each attack, by its id in own/attacks.json. */
export const STS_ATTACKS: Readonly<Record<string, () => void>> = {
  T01: () =>
    it('is answered as if the role did not exist', async () => {
      const theirs = await assume({ RoleArn: STRANGERS_ARN });
      const nobodys = await assume({ RoleArn: 'arn:aws:iam::000000000042:role/guessed' });
      expect([codeOf(theirs), withoutId(theirs)]).toEqual([DENIED, withoutId(nobodys)]);
    }),

  T03: () =>
    it('names one role exactly: neither a name, a URN, a pattern nor another spelling finds it', async () => {
      for (const RoleArn of ['urn:jobpass:role:main/deploy', `${DEPLOY_ARN}*`, DEPLOY_ARN.replace('/teams', '')]) {
        expect([INVALID, DENIED]).toContainEqual(await codeWith({ RoleArn }));
      }
      expect(world.store.sessions.size).toBe(0);
    }),

  T04: () =>
    it('leaves the role as it is: a session policy stands beside it, and one without actions is none', async () => {
      const statement = { Effect: 'Allow', Action: '*', Resource: '*' };
      await assume({ Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) });
      const [session] = [...world.store.sessions.values()];
      expect(session).toMatchObject({ role: { tenant: 'main', name: 'deploy' }, policy: [{ effect: 'allow' }] });
      const { Action: _action, ...without } = statement;
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [without] });
      expect(await codeWith({ Policy })).toEqual([400, 'MalformedPolicyDocument']);
    }),

  T05: () =>
    it.each<[string, unknown]>([
      ['899', INVALID],
      ['43201', INVALID],
      ['-1', INVALID],
      ['0', INVALID],
      ['900.5', MALFORMED],
      ['NaN', MALFORMED],
      ['Infinity', MALFORMED],
      ['43200', 1800],
    ])('%s seconds are refused or shortened', async (DurationSeconds, expected) => {
      const answer = await assume({ DurationSeconds });
      const [session] = [...world.store.sessions.values()];
      expect(session === undefined ? codeOf(answer) : session.expiresAt - session.issuedAt).toEqual(expected);
    }),

  T06: () =>
    it('makes no credentials from credentials', async () => {
      const own = await assumedCredentials(world);
      const headers = { authorization: 'AWS4-HMAC-SHA256 x' };
      for (const Action of ['AssumeRole', 'GetSessionToken', 'GetFederationToken', 'AssumeRoleWithWebIdentity']) {
        const form = {
          Action,
          Version: '2011-06-15',
          RoleArn: DEPLOY_ARN,
          RoleSessionName: 'job-1',
          WebIdentityToken: 'x.y.z',
        };
        expect(codeOf(await world.call('POST /', { form, headers }))).toEqual(DENIED);
      }
      expect(codeOf(await assumeRole(world, own.sessionToken ?? ''))).toEqual([400, 'InvalidIdentityToken']);
      expect(world.store.sessions.size).toBe(1);
    }),

  T11: () =>
    it('is refused', async () => {
      const expired = await assume({}, { exp: world.clock.nowSeconds() - 31 });
      expect(codeOf(expired)).toEqual([400, 'ExpiredTokenException']);
      const now = world.clock.nowSeconds();
      await world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
      expect(await codeWith({})).toEqual(DENIED);
    }),

  T12: () =>
    it('is refused in every form', async () => {
      const form = 'Action=GetCallerIdentity&Version=2011-06-15';
      const call = async (target: string, body: string, type?: string): Promise<unknown> =>
        codeOf(
          await world.call(target, {
            form: body,
            ...(type === undefined ? {} : { headers: { 'content-type': type } }),
          }),
        );
      expect(await call('POST /', `${form}&Action=GetCallerIdentity`)).toEqual(MALFORMED);
      expect(await call('POST /?Version=2011-06-15', form)).toEqual(MALFORMED);
      expect(await call('POST /', form, 'application/json')).toEqual(MALFORMED);
      expect(await call(`GET /?${form}`, '')).toEqual([405, 'InvalidAction']);
    }),

  T13: () =>
    it('injects nothing into the answer', async () => {
      const text = ']]></Credentials><Credentials>&lt;';
      expect(await codeWith({ RoleSessionName: text })).toEqual(INVALID);
      const answer = await assume({}, { sub: text });
      expect(answer.text.match(/<Credentials>/g) ?? []).toHaveLength(1);
      expect(memberOf(answer, 'SubjectFromWebIdentityToken')).toBe(
        ']]&gt;&lt;/Credentials&gt;&lt;Credentials&gt;&amp;lt;',
      );
    }),

  T14: () =>
    it('meets no XML parser', async () => {
      const headers = { 'content-type': 'text/xml' };
      const form = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>';
      expect(codeOf(await world.call('POST /', { form, headers }))).toEqual(MALFORMED);
    }),

  T15: () =>
    it('learns one thing from three refusals', async () => {
      const answers = [
        await assume({ RoleArn: STRANGERS_ARN }),
        await assume({ RoleArn: 'arn:aws:iam::999999999999:role/nobody' }),
        await assume({}, { ref: 'refs/heads/dev' }),
      ];
      expect(new Set(answers.map(withoutId)).size).toBe(1);
    }),

  T16: () =>
    it('gets the session of its own token', async () => {
      const jobs = Array.from({ length: 500 }, (_, index) => `owner:acme@42:job:${index}`);
      const tokens = await Promise.all(jobs.map((sub, index) => token({ sub, jti: `token-${index}` })));
      const answers = await Promise.all(tokens.map((text) => assumeRole(world, text)));
      expect(answers.map((answer) => memberOf(answer, 'SubjectFromWebIdentityToken'))).toEqual(jobs);
    }),

  T17: () =>
    it('is nobody', async () => {
      const own = await assumedCredentials(world);
      const { accessKeyId, sessionToken } = own;
      const text = sessionToken ?? '';
      for (const changed of [text.slice(0, -1), `${text}A`, text.toUpperCase(), ` ${text}.`, `${text}=`]) {
        expect(await who({ ...own, sessionToken: changed })).toEqual(NOBODY);
      }
      for (const changed of [accessKeyId.slice(0, -1), `${accessKeyId}A`, accessKeyId.toLowerCase()]) {
        expect(await who({ ...own, accessKeyId: changed })).toEqual(NOBODY);
      }
    }),

  S02: () =>
    it('is never taken', async () => {
      const own = await assumedCredentials(world);
      const { body, headers } = signedCall(world, own);
      const places = [...Object.keys(headers), 'body'];
      const change = fc.record({
        place: fc.constantFrom(...places),
        at: fc.nat(),
        by: fc.integer({ min: 1, max: 94 }),
      });
      const bend = (text: string, at: number, by: number): string => {
        const index = at % text.length;
        const code = ((text.charCodeAt(index) - 0x20 + by) % 95) + 0x20;
        return text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1);
      };
      await fc.assert(
        fc.asyncProperty(change, async ({ at, by, place }) => {
          const bent =
            place === 'body'
              ? { headers, body: bend(body, at, by) }
              : { body, headers: { ...headers, [place]: bend(headers[place] ?? '', at, by) } };
          const answer = await world.call('POST /', { raw: bent.body, headers: bent.headers });
          expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
        }),
        { numRuns: propertyRuns() },
      );
      expect((await world.call('POST /', { raw: body, headers })).status).toBe(200);
    }),

  S04: () =>
    it('is refused on both sides of the clock', async () => {
      const own = await assumedCredentials(world);
      for (const away of [901, -901]) {
        expect(await who(own, { atSeconds: world.clock.nowSeconds() + away })).toEqual(MISMATCH);
      }
    }),

  S05: () =>
    it('is refused where the header matters', async () => {
      const own = await assumedCredentials(world);
      const { headers } = signedCall(world, own);
      const authorization = headers.authorization ?? '';
      for (const name of ['host;', ';x-amz-date', ';x-amz-security-token']) {
        expect(authorization).toContain(name);
        expect(await who(own, { headers: { authorization: authorization.replace(name, '') } })).toEqual(MISMATCH);
      }
    }),

  S07: () =>
    it('is nobody, or over', async () => {
      const own = await assumedCredentials(world);
      const other = await assumedCredentials(world, { jti: 'token-2' });
      expect(await who({ ...own, sessionToken: null })).toEqual(NOBODY);
      expect(await who({ ...own, sessionToken: other.sessionToken })).toEqual(NOBODY);
      world.clock.advance(1800);
      expect(await who(own)).toEqual([403, 'ExpiredToken']);
    }),

  S08: () =>
    it('is refused elsewhere and later', async () => {
      const own = await assumedCredentials(world);
      const { body, headers } = signedCall(world, own);
      const replay = async (more: Readonly<Record<string, string>> = {}) =>
        codeOf(await world.call('POST /', { raw: body, headers: { ...headers, ...more } }));
      expect(await replay({ host: 'sts.other.example' })).toEqual(MISMATCH);
      world.clock.advance(901);
      expect(await replay()).toEqual(MISMATCH);
    }),

  S09: () =>
    it('is refused by name', async () => {
      const own = await assumedCredentials(world);
      const v2 = { authorization: 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=' };
      const v4a = { authorization: 'AWS4-ECDSA-P256-SHA256 Credential=a/20270115/sts/aws4_request' };
      expect([await who(own, { headers: v2 }), await who(own, { headers: v4a })]).toEqual([
        [400, 'IncompleteSignature'],
        [400, 'IncompleteSignature'],
      ]);
      const form = 'Action=GetCallerIdentity&Version=2011-06-15&AWSAccessKeyId=a&SignatureVersion=2&Signature=b';
      expect(codeOf(await world.call('POST /', { form }))).toEqual(INVALID);
    }),
};
