// `serve --dev`: issuer and STS for `jobpass run` on this machine. Their controller is local, so subjects begin with `local:`.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedId } from '../../base/identity/facts.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import { isLoopbackUrl } from '../config/defaults.ts';
import { loadPlan, readConfig } from '../config/load.ts';
import type { ListenAddress, Plan } from '../config/plan.ts';
import { developmentTls } from '../setup/development-tls.ts';
import { parseNamedId } from '../setup/named-id.ts';
import { writePrivateFile } from '../setup/private-files.ts';
import { writeProject } from '../setup/project.ts';
import { CommandFailure, EXIT, type Surroundings } from './command.ts';
import { problemsFailure } from './config-option.ts';

/** Where `serve --dev` keeps everything of its own, below the working folder. */
const DEV_FOLDER = '.jobpass/dev';
const DEV_ISSUER_URL = 'http://127.0.0.1:8701';

/** How far the https port of the STS is from its own: past whatever else listens on the ports that follow. */
const HTTPS_PORT_OFFSET = 10;

/** What `serve --dev` starts, and what people should know of it. */
export interface Development {
  readonly plan: Plan;
  /** Lines for people. */
  readonly notes: readonly string[];
}

/** The plan of the development servers; the first call in a folder makes their keys and credentials. */
export async function devPlan(surroundings: Surroundings, owners: readonly string[]): Promise<Development> {
  const folder = join(surroundings.folder, DEV_FOLDER);
  if (!existsSync(join(folder, 'jobpass.yaml'))) await initialise(folder, surroundings.folder, owners.map(ownerOf));
  else if (owners.length > 0)
    throw new CommandFailure(`${DEV_FOLDER} exists with the owners it was made for`, {
      exitCode: EXIT.usage,
      hint: `remove ${DEV_FOLDER} to start afresh, or leave --owner out`,
    });
  const document = readConfig('jobpass.yaml', folder);
  if (!document.ok) throw problemsFailure(document.error);
  const plan = loadPlan(document.value, surroundings.env);
  if (!plan.ok) throw problemsFailure(plan.error);
  return alsoOverHttps(plan.value, folder);
}

/**
 * The plan with the STS on a second listener, because Azure's clients take nothing but https. Its authority is for loopback, so it
 * is made for nothing else; an STS with a certificate of its own needs none.
 */
function alsoOverHttps(plan: Plan, folder: string): Development {
  const { sts } = plan;
  if (sts === null || sts.tls !== null) return { plan, notes: [] };
  const url = new URL(sts.settings.url);
  if (!isLoopbackUrl(url.href) || !isLoopback(sts.listen))
    throw new CommandFailure('serve --dev serves this machine alone', {
      exitCode: EXIT.usage,
      hint: `let url and listen of the STS in ${DEV_FOLDER}/jobpass.yaml be on 127.0.0.1, or use serve without --dev`,
    });
  const listen = { host: sts.listen.host, port: sts.listen.port + HTTPS_PORT_OFFSET };
  url.protocol = 'https:';
  url.port = String(listen.port);
  const azureAuthority = url.origin;
  const now = systemClock.nowSeconds();
  const { caFile, identity: tls } = developmentTls(join(folder, 'tls'), { now, random: systemRandom });
  const settings = { ...sts.settings, azureAuthority };
  return {
    plan: { ...plan, sts: { ...sts, settings, alsoHttps: { listen, tls } } },
    notes: trustNotes(azureAuthority, caFile),
  };
}

const isLoopback = ({ host }: ListenAddress): boolean => ['127.0.0.1', '::1', 'localhost'].includes(host);

/** What each language's clients read the authority from; the last two take it in place of all others. */
const trustNotes = (url: string, caFile: string): readonly string[] =>
  [
    ['sts over https', `${url}   for this machine alone`],
    ['  trusted by Node', `NODE_EXTRA_CA_CERTS=${caFile}`],
    ['  by Go, OpenSSL', `SSL_CERT_FILE=${caFile}`],
    ['  by Python', `REQUESTS_CA_BUNDLE=${caFile}`],
  ].map(([what = '', how]) => `${what.padEnd(20)} ${how}`);

async function initialise(folder: string, workingFolder: string, owners: readonly NamedId[]): Promise<void> {
  if (owners.length === 0)
    throw new CommandFailure('whose local jobs should get identities?', {
      exitCode: EXIT.usage,
      hint: 'jobpass serve --dev --owner acme@42, as in your pipeline file',
    });
  const ignored = join(folder, '../.gitignore');
  if (!existsSync(ignored)) writePrivateFile(ignored, '*\n');
  const ownPolicies = existsSync(join(workingFolder, 'policies'));
  if (!ownPolicies) mkdirSync(join(folder, 'policies/main'), { recursive: true, mode: 0o700 });
  await writeProject(
    folder,
    {
      owners,
      issuerUrl: DEV_ISSUER_URL,
      upstream: null,
      local: true,
      policies: ownPolicies ? '../../policies' : './policies',
      credentials: folder,
    },
    systemRandom,
  );
}

function ownerOf(written: string): NamedId {
  const owner = parseNamedId(written);
  if (owner !== undefined) return owner;
  throw new CommandFailure(`--owner ${written} is not NAME@ID`, { exitCode: EXIT.usage, hint: '--owner acme@42' });
}
