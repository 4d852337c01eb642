// One entry of the gateways section as a plan.
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import { checkTransport, type PlanContext, planServer, seconds } from './defaults.ts';
import type { GatewayPlan } from './plan.ts';
import { type GatewaySection, parseListen } from './schema.ts';

export function planGateway(section: GatewaySection, index: number, context: PlanContext): GatewayPlan {
  const { places, problems } = context;
  const path = ['gateways', index] as const;
  checkTransport(section.sts.url, [...path, 'sts', 'url'], problems);
  if (section.upstream === undefined && section.check === undefined)
    problems.add(path, 'the gateway guards nothing', 'upstream: http://127.0.0.1:8080, or check:');
  const network = section.sts.network ?? 'public';
  if (section.sts.url.startsWith('http:') && network !== 'loopback')
    problems.add([...path, 'sts', 'url'], 'plain http is allowed on loopback only', 'network: loopback');
  return {
    ...planServer(section, { name: `gateway-${section.name}`, url: null, path }, context),
    settings: {
      name: section.name,
      group: section.group ?? section.name,
      sts: {
        url: section.sts.url,
        network,
        client: section.sts.client ?? section.name,
        secret: problems.secret([...path, 'sts', 'secret'], section.sts.secret, places),
        pinnedJwks: null,
      },
      clockSkewSeconds: context.clockSkew === undefined ? DEFAULT_CLOCK_SKEW_SECONDS : seconds(context.clockSkew),
      upstream: section.upstream ?? null,
      check: section.check?.dialect ?? null,
    },
    checkListen: section.check === undefined ? null : (parseListen(section.check.listen) ?? null),
  };
}
