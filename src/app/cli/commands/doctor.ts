// `jobpass doctor --aws|--gcp|--azure FILE`: whether an issuer's token and a cloud's document agree. No server of ours is needed.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { JsonValue } from '../../../base/core/json.ts';
import { MAX_POLICY_BYTES } from '../../../base/core/limits.ts';
import { readDocument } from '../../../base/document/read.ts';
import type { PolicySet } from '../../../policy/policy-set.ts';
import { systemClock } from '../../adapters.ts';
import { createGuardedFetch } from '../../net/guarded-fetch.ts';
import { serverCertificates } from '../../net/server-certificates.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type Surroundings, text } from '../command.ts';
import { awsCloud } from '../doctor/aws/aws-cloud.ts';
import { azureCloud } from '../doctor/azure/azure-cloud.ts';
import type { Cloud } from '../doctor/cloud.ts';
import { examine, type Patient, type Report } from '../doctor/examine.ts';
import { gcpCloud } from '../doctor/gcp/gcp-cloud.ts';
import { showReport } from '../doctor/show-report.ts';
import { paintFor } from '../paint.ts';
import { readPolicies } from '../policy-files.ts';
import { readTokenText } from '../token-input.ts';

const USAGE =
  'jobpass doctor --aws|--gcp|--azure FILE --token-file FILE|- [--issuer-url URL] [--session-name NAME] [--compatible] [--json]';

const EXIT_OF: Readonly<Record<Report['verdict'], ExitCode>> = {
  agree: EXIT.ok,
  disagree: EXIT.failed,
  unavailable: EXIT.unavailable,
};

/** How a cloud is chosen, and what its file must be. */
interface Choice {
  readonly what: string;
  /** What prints such a file. */
  readonly source: string;
  cloud(o: { readonly isItself: boolean; readonly document: JsonValue; readonly fileHasTail: boolean }): Cloud;
}

const CHOICES: Readonly<Record<Cloud['id'], Choice>> = {
  aws: {
    what: 'one AWS trust policy',
    source: 'aws iam get-role --role-name NAME > role.json prints one',
    cloud: awsCloud,
  },
  gcp: {
    what: 'one provider of a workload identity pool',
    source: 'gcloud iam workload-identity-pools providers describe … --format=json > provider.json prints one',
    cloud: gcpCloud,
  },
  azure: {
    what: 'the federated credentials of one application',
    source: 'az ad app federated-credential list --id CLIENT_ID > credentials.json prints them',
    cloud: azureCloud,
  },
};
const IDS = ['aws', 'gcp', 'azure'] as const;

export const doctor: Command = {
  usage: USAGE,
  options: {
    aws: { type: 'string' },
    gcp: { type: 'string' },
    azure: { type: 'string' },
    'token-file': { type: 'string' },
    'issuer-url': { type: 'string' },
    'session-name': { type: 'string' },
    compatible: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    aws: 'an AWS trust policy, by itself or as aws iam get-role prints it',
    gcp: 'a workload identity pool provider as gcloud describes it, alone or as provider beside bindings',
    azure: 'federated credentials, as az ad app federated-credential list prints them',
    'token-file': 'a token of the issuer, never printed; - is stdin',
    'issuer-url': 'where the issuer is, when it is not to be taken from the token',
    'session-name': 'what the session will be called, for AWS policies that ask',
    compatible:
      'the STS is not the cloud itself (Ceph RGW, Jobpass, …): http, ports and private addresses are no mistake',
    json: 'print JSON on stdout',
  },
  async run(surroundings) {
    const { options, out, env } = surroundings;
    const { file, patient } = patientOf(surroundings);
    const outbound = createGuardedFetch();
    const reach = { fetch: outbound.fetch, certificates: serverCertificates };
    try {
      const report = await examine(patient, { reach, now: systemClock.nowSeconds() });
      const paint = paintFor(process.stdout.isTTY === true, env);
      out(options.json === true ? JSON.stringify(report, undefined, 2) : showReport(report, file, paint));
      return EXIT_OF[report.verdict];
    } finally {
      outbound.close();
    }
  },
};

const usage = (message: string, hint: string = USAGE): CommandFailure =>
  new CommandFailure(message, { exitCode: EXIT.usage, hint });

function patientOf({ options, positionals, folder }: Surroundings): {
  readonly file: string;
  readonly patient: Patient;
} {
  const [token, issuerUrl] = [text(options['token-file']), text(options['issuer-url'])];
  const [chosen, ...others] = IDS.filter((id) => options[id] !== undefined);
  const file = chosen === undefined ? undefined : text(options[chosen]);
  if (positionals.length > 0) throw usage(`${positionals[0]} is not expected here`);
  if (chosen === undefined || others.length > 0 || file === undefined || token === undefined)
    throw usage('wanted one of --aws, --gcp and --azure, and --token-file');
  if (issuerUrl !== undefined && !URL.canParse(issuerUrl)) throw usage('--issuer-url is no URL');
  const read = readTokenText(token, folder);
  const isItself = options.compatible !== true;
  const policies = readCloudPolicy(file, folder, { id: chosen, isItself });
  // What comes through a pipe is no file that an SDK would be pointed at.
  const fileHasTail = token !== '-' && read.hasTail;
  const cloud = CHOICES[chosen].cloud({ isItself, document: documentIn(file, folder), fileHasTail });
  return {
    file,
    patient: { token: read.token, cloud, policies, issuerUrl, sessionName: text(options['session-name']) },
  };
}

/** The document as a set of one role. A Jobpass role whose trust entries are all such documents is one too. */
function readCloudPolicy(
  path: string,
  folder: string,
  { id, isItself }: { readonly id: Cloud['id']; readonly isItself: boolean },
): PolicySet {
  const set = readPolicies(path, folder, { anyAccount: !isItself });
  const roles = [...set.tenants()].flatMap((tenant) => [...set.rolesOf(tenant)]);
  const isOfCloud = roles.length === 1 && roles.every(({ trust }) => trust.every(({ dialect }) => dialect === id));
  if (isOfCloud) return set;
  throw usage(`${path} is not ${CHOICES[id].what}`, CHOICES[id].source);
}

const anyValue = z.unknown();

/** The file as it stands. Precondition: it was read as a policy. */
function documentIn(path: string, folder: string): JsonValue {
  const content = readFileSync(resolve(folder, path), 'utf8');
  const read = readDocument({ file: path, text: content }, anyValue, { maxBytes: MAX_POLICY_BYTES });
  // Read as JSON or YAML, which hold nothing else.
  return read.ok ? (read.value.value as JsonValue) : null;
}
