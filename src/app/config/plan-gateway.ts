// One entry of the gateways section as a plan.
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import type { BlobSettings, Door, GcsSettings } from '../../gateway/settings.ts';
import { checkOwnUrl, checkPeerUrl, planStorage, seconds } from './defaults.ts';
import type { GatewayPlan } from './plan.ts';
import type { PlanContext } from './plan-context.ts';
import { planS3 } from './plan-s3.ts';
import { planTls } from './plan-tls.ts';
import type { DocumentPath, ProblemList } from './problem-list.ts';
import type { BlobSection, GatewaySection } from './schema-gateway.ts';
import { parseListen } from './schema-texts.ts';

export function planGateway(section: GatewaySection, index: number, context: PlanContext): GatewayPlan {
  const { places, problems } = context;
  const path = ['gateways', index] as const;
  checkSides(section, path, problems);
  checkUrl(section, path, problems);
  const network = section.sts.network ?? 'public';
  checkPeerUrl({ url: section.sts.url, network }, [...path, 'sts', 'url'], problems);
  return {
    ...planStorage(section, { name: `gateway-${section.name}`, path }, context),
    settings: {
      name: section.name,
      group: section.group ?? section.name,
      sts: {
        url: section.sts.url,
        network,
        client: section.sts.client ?? section.name,
        secret: problems.secret([...path, 'sts', 'secret'], section.sts.secret, places),
      },
      clockSkewSeconds: context.clockSkew === undefined ? DEFAULT_CLOCK_SKEW_SECONDS : seconds(context.clockSkew),
      url: section.url ?? null,
      upstream: section.upstream ?? null,
      s3: section.s3 === undefined ? null : planS3(section.s3, [...path, 's3'], context),
      doors: {
        blob: planBlob(section.blob, [...path, 'blob'], problems),
        gcs: planGcs(section, [...path, 'gcs', 'url'], problems),
      },
    },
    guardListen: section.listen === undefined ? null : (parseListen(section.listen) ?? null),
    tls: planTls(section.tls, [...path, 'tls'], context),
    checkListen: section.check === undefined ? null : (parseListen(section.check.listen) ?? null),
    doorListens: doorListens(section),
  };
}

const DOORS = ['blob', 'gcs'] as const satisfies readonly Door[];

const doorListens = (section: GatewaySection): GatewayPlan['doorListens'] =>
  DOORS.flatMap((door) => {
    const listen = parseListen(section[door]?.listen ?? '');
    return listen === undefined ? [] : [{ door, listen }];
  });

/** The SDKs refuse to send a token over plain http, so such a URL could not be used. */
function planBlob(section: BlobSection | undefined, path: DocumentPath, problems: ProblemList): BlobSettings | null {
  if (section === undefined) return null;
  const { account, url } = section;
  if (!url.startsWith('https:')) problems.add([...path, 'url'], 'clients send tokens over https only', 'https://…');
  return { account, url };
}

/** Tokens are sent there. */
function planGcs({ gcs, tls }: GatewaySection, path: DocumentPath, problems: ProblemList): GcsSettings | null {
  if (gcs === undefined) return null;
  const { url } = gcs;
  if (tls !== undefined && url.startsWith('http:'))
    problems.add(path, 'an http URL, but the gateway speaks https', 'https://…');
  else checkOwnUrl(url, path, problems);
  return { url };
}

/** The URL is the guard's: other fronts have their own, and a proxy's own URL is the proxy's to tell. */
function checkUrl({ tls, upstream, url }: GatewaySection, path: DocumentPath, problems: ProblemList): void {
  if (url === undefined) return;
  if (upstream === undefined) problems.add([...path, 'url'], 'only a guard has a URL: upstream is missing');
  else if (tls !== undefined && url.startsWith('http:'))
    problems.add([...path, 'url'], 'an http URL, but the gateway speaks https', 'https://…');
  else checkOwnUrl(url, [...path, 'url'], problems);
}

/** A gateway guards an upstream itself, or serves objects, or answers a proxy; the last also beside one of the others. */
function checkSides(section: GatewaySection, path: DocumentPath, problems: ProblemList): void {
  const { check, listen, s3, upstream } = section;
  const fronts = [upstream, s3].filter((front) => front !== undefined).length;
  const doors = DOORS.filter((door) => section[door] !== undefined);
  if (fronts === 0 && check === undefined && doors.length === 0)
    problems.add(path, 'the gateway guards nothing', 'upstream: http://127.0.0.1:8080, or s3:, or check:');
  else if (fronts === 2)
    problems.add([...path, 's3'], 'a gateway has one front', 'upstream or s3; a second gateway has the other');
  else if (fronts === 1 && listen === undefined && doors.length === 0)
    problems.add(path, 'listen is missing', 'listen: 127.0.0.1:8703   (host:port)');
  else if (fronts === 0 && listen !== undefined)
    problems.add(
      [...path, 'listen'],
      'nothing is guarded here: upstream is missing',
      'upstream: http://127.0.0.1:8080, or s3:',
    );
  for (const door of s3 === undefined ? doors : [])
    problems.add([...path, door], 'there are no objects to serve: s3 is missing', 's3: { folder: ./data/objects, … }');
}
