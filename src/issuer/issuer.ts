// The issuer as a whole: its routes and its life. It listens on nothing; app/server binds the routes.
import type { Route } from '../base/ports/http.ts';
import { RefusalDesk } from '../base/refusal/desk.ts';
import type { IssuerContext, IssuerDependencies } from './context.ts';
import { controllerRoutes } from './controller-routes.ts';
import { discoveryRoutes } from './discovery.ts';
import { EventBell } from './event-bell.ts';
import { eventRoutes } from './event-transmitter.ts';
import { introspectionRoutes } from './introspection.ts';
import { JobEnds } from './job-ends.ts';
import { jobRoutes } from './job-routes.ts';
import { makeRoute } from './route.ts';
import { Sweeper } from './sweeper.ts';

export interface Issuer {
  readonly routes: readonly Route[];
  /** Whether it is started and its store answers. Discovery and keys are served without it. */
  ready(): Promise<boolean>;
  /** Begins to end overdue jobs. */
  start(): void;
  /** Answers waiting polls now, and all later ones at once. */
  letGo(): void;
  /**
   * Answers waiting polls and stops; the routes refuse nothing by themselves afterwards, so close the listener first.
   */
  close(): Promise<void>;
}

/** Steps 1, 2, 7 and 8 of a token's life (design, section 1), for one issuer URL. */
export function createIssuer(dependencies: IssuerDependencies): Issuer {
  const { store, clock, log } = dependencies;
  const bell = new EventBell();
  const ends = new JobEnds({ store, clock, bell, log });
  const sweeper = new Sweeper({ ends, store, clock, log });
  const context: IssuerContext = { ...dependencies, ends, refusals: new RefusalDesk(dependencies) };
  const definitions = [
    ...discoveryRoutes(context),
    ...controllerRoutes(context),
    ...jobRoutes,
    ...introspectionRoutes,
    ...eventRoutes(bell),
  ];
  let running = false;
  let unwatch = (): void => undefined;
  return {
    routes: definitions.map((definition) => makeRoute(context, definition)),
    ready: async () => running && (await answers(context)),
    start: () => {
      running = true;
      dependencies.storeWatch?.onBegun(() => bell.ring());
      dependencies.storeWatch?.start();
      unwatch = store.watch(() => bell.ring());
      sweeper.start();
    },
    letGo: () => bell.close(),
    close: async () => {
      running = false;
      unwatch();
      bell.close();
      await Promise.all([sweeper.close(), dependencies.storeWatch?.close()]);
    },
  };
}

async function answers(context: IssuerContext): Promise<boolean> {
  try {
    await context.store.findJob('');
    return true;
  } catch {
    return false;
  }
}
