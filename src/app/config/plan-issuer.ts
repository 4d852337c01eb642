// The issuer section as a plan.
import { resolve } from 'node:path';
import type { IssuerGrant } from '../../base/client-auth/client.ts';
import { checkOwnUrl, planServer, seconds } from './defaults.ts';
import type { IssuerPlan, KeyExportPlan } from './plan.ts';
import { planClients } from './plan-clients.ts';
import type { PlanContext } from './plan-context.ts';
import type { ProblemList } from './problem-list.ts';
import type { IssuerSection } from './schema.ts';

const DEFAULT_ID_TOKEN = '10m';
const MIN_ID_TOKEN_SECONDS = 60;
const DEFAULT_MAX_JOB = '6h';

/** The issuer as the section and its defaults make it; what is wrong with them stands in `context.problems`. */
export function planIssuer(section: IssuerSection, context: PlanContext): IssuerPlan {
  const { problems } = context;
  checkOwnUrl(section.url, ['issuer', 'url'], problems);
  checkOwners(section, problems);
  const idTokenSeconds = seconds(section.id_tokens?.lifetime ?? DEFAULT_ID_TOKEN);
  if (idTokenSeconds < MIN_ID_TOKEN_SECONDS)
    problems.add(['issuer', 'id_tokens', 'lifetime'], 'shorter than 1m', '1m to 1h');
  return {
    ...planServer(section, { name: 'issuer', url: section.url, path: ['issuer'] }, context),
    settings: {
      url: section.url,
      algorithm: section.id_tokens?.algorithm ?? 'RS256',
      profile: section.id_tokens?.profile ?? 'jobpass',
      idTokenSeconds,
      maxJobSeconds: seconds(section.max_job ?? DEFAULT_MAX_JOB),
      forks: { allow: section.forks !== undefined, audiences: section.forks?.audiences ?? [] },
    },
    clients: planClients(section.clients, ['issuer', 'clients'], problems, issuerGrant),
    keyExport: planExport(section, context),
    adminSocket: resolve(context.places.folder, (section.admin ?? 'unix:./run/issuer.sock').slice('unix:'.length)),
  };
}

function planExport({ keys }: IssuerSection, { places }: PlanContext): KeyExportPlan | null {
  if (keys?.export === undefined) return null;
  const [program, ...args] = keys.export.hook ?? [];
  const { HOME = '', PATH = '' } = places.env;
  const hook = program === undefined ? null : { command: [program, ...args] as const, env: { HOME, PATH } };
  return { folder: resolve(places.folder, keys.export.folder), hook };
}

const issuerGrant = ({ may }: IssuerSection['clients'][number]): IssuerGrant => ({
  jobs:
    may.jobs === undefined
      ? null
      : {
          owners: may.jobs.owners,
          extraClaimPrefix: may.jobs.extra_claims_prefix ?? null,
          localOnly: may.jobs.local ?? false,
        },
  introspect: may.introspect ?? [],
  events: may.events ?? [],
  keys: may.keys ?? [],
  audit: may.audit ?? false,
});

/** Owners are disjoint between controllers, by name and by id: otherwise one could speak for another's pipelines. */
function checkOwners(section: IssuerSection, problems: ProblemList): void {
  const heldBy = new Map<string, number>();
  for (const [index, client] of section.clients.entries())
    for (const [position, owner] of (client.may.jobs?.owners ?? []).entries())
      for (const key of [`name ${owner.name}`, `id ${owner.id}`]) {
        const holder = heldBy.get(key);
        if (holder !== undefined && holder !== index)
          problems.add(
            ['issuer', 'clients', index, 'may', 'jobs', 'owners', position],
            `another controller holds the owner with ${key}`,
            'give each owner to one controller',
          );
        heldBy.set(key, index);
      }
}
