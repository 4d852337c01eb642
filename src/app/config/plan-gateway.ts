// One entry of the gateways section as a plan.
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import { checkPeerUrl, planStorage, seconds } from './defaults.ts';
import type { GatewayPlan } from './plan.ts';
import type { PlanContext } from './plan-context.ts';
import { planTls } from './plan-tls.ts';
import type { DocumentPath, ProblemList } from './problem-list.ts';
import { type GatewaySection, parseListen } from './schema.ts';

export function planGateway(section: GatewaySection, index: number, context: PlanContext): GatewayPlan {
  const { places, problems } = context;
  const path = ['gateways', index] as const;
  checkSides(section, path, problems);
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
      upstream: section.upstream ?? null,
      s3: null,
    },
    guardListen: section.listen === undefined ? null : (parseListen(section.listen) ?? null),
    tls: planTls(section.tls, [...path, 'tls'], context),
    checkListen: section.check === undefined ? null : (parseListen(section.check.listen) ?? null),
  };
}

/** A gateway guards an upstream itself, or answers a proxy that does, or both. */
function checkSides(section: GatewaySection, path: DocumentPath, problems: ProblemList): void {
  const { listen, upstream, check } = section;
  if (upstream === undefined && check === undefined)
    problems.add(path, 'the gateway guards nothing', 'upstream: http://127.0.0.1:8080, or check:');
  else if (upstream !== undefined && listen === undefined)
    problems.add(path, 'listen is missing', 'listen: 127.0.0.1:8703   (host:port)');
  else if (upstream === undefined && listen !== undefined)
    problems.add(
      [...path, 'listen'],
      'nothing is guarded here: upstream is missing',
      'upstream: http://127.0.0.1:8080',
    );
}
