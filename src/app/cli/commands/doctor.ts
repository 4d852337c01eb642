// `jobpass doctor --aws FILE`: whether an issuer's token and a cloud's trust policy agree. No server of ours is needed.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseJson } from '../../../base/json/parse.ts';
import type { PolicySet } from '../../../policy/policy-set.ts';
import { systemClock } from '../../adapters.ts';
import { createGuardedFetch } from '../../net/guarded-fetch.ts';
import { serverCertificates } from '../../net/server-certificates.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type Surroundings, text } from '../command.ts';
import { examine, type Patient, type Report } from '../doctor/examine.ts';
import { showReport } from '../doctor/show-report.ts';
import { type RoleDescription, roleDescription } from '../doctor/trust-findings.ts';
import { paintFor } from '../paint.ts';
import { readPolicies } from '../policy-files.ts';
import { readTokenText } from '../token-input.ts';

const USAGE =
  'jobpass doctor --aws FILE --token-file FILE|- [--issuer-url URL] [--session-name NAME] [--compatible] [--json]';

const EXIT_OF: Readonly<Record<Report['verdict'], ExitCode>> = {
  agree: EXIT.ok,
  disagree: EXIT.failed,
  unavailable: EXIT.unavailable,
};

export const doctor: Command = {
  usage: USAGE,
  options: {
    aws: { type: 'string' },
    'token-file': { type: 'string' },
    'issuer-url': { type: 'string' },
    'session-name': { type: 'string' },
    compatible: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    aws: 'an AWS trust policy, by itself or as aws iam get-role prints it',
    'token-file': 'a token of the issuer, never printed; - is stdin',
    'issuer-url': 'where the issuer is, when it is not to be taken from the token',
    'session-name': 'what the session will be called, for policies that ask',
    compatible: 'the STS is not AWS itself (Ceph RGW, …): http and ports are no mistake',
    json: 'print JSON on stdout',
  },
  async run(surroundings) {
    const { options, out, env } = surroundings;
    const patient = patientOf(surroundings);
    const outbound = createGuardedFetch();
    const reach = { fetch: outbound.fetch, certificates: serverCertificates };
    try {
      const report = await examine(patient, { reach, now: systemClock.nowSeconds() });
      const paint = paintFor(process.stdout.isTTY === true, env);
      out(
        options.json === true
          ? JSON.stringify(report, undefined, 2)
          : showReport(report, text(options.aws) ?? '', paint),
      );
      return EXIT_OF[report.verdict];
    } finally {
      outbound.close();
    }
  },
};

const usage = (message: string, hint: string = USAGE): CommandFailure =>
  new CommandFailure(message, { exitCode: EXIT.usage, hint });

function patientOf({ options, positionals, folder }: Surroundings): Patient {
  const [policy, token, issuerUrl] = [text(options.aws), text(options['token-file']), text(options['issuer-url'])];
  if (positionals.length > 0) throw usage(`${positionals[0]} is not expected here`);
  if (policy === undefined || token === undefined) throw usage('wanted --aws and --token-file');
  if (issuerUrl !== undefined && !URL.canParse(issuerUrl)) throw usage('--issuer-url is no URL');
  const read = readTokenText(token, folder);
  return {
    token: read.token,
    // What comes through a pipe is no file that an SDK would be pointed at.
    fileHasTail: token !== '-' && read.hasTail,
    policies: readAwsPolicy(policy, folder, options.compatible === true),
    role: describedIn(policy, folder),
    issuerUrl,
    sessionName: text(options['session-name']),
    sts: options.compatible === true ? 'compatible' : 'aws',
  };
}

/** The policy as a set of one role. A Jobpass role whose trust entries are all AWS documents is one too. */
function readAwsPolicy(path: string, folder: string, anyAccount: boolean): PolicySet {
  const set = readPolicies(path, folder, { anyAccount });
  const roles = [...set.tenants()].flatMap((tenant) => [...set.rolesOf(tenant)]);
  const isAws = roles.length === 1 && roles.every(({ trust }) => trust.every(({ dialect }) => dialect === 'aws'));
  if (isAws) return set;
  throw usage(`${path} is not one AWS trust policy`, 'aws iam get-role --role-name NAME > role.json prints one');
}

/** Precondition: the file was read as a policy. YAML tells nothing more than its policy here. */
function describedIn(path: string, folder: string): RoleDescription {
  const parsed = parseJson(readFileSync(resolve(folder, path)));
  return parsed.ok ? roleDescription(parsed.value) : {};
}
