// A TCP link that a test can break: between two servers, or between callers and the replicas that it shares out connections to.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A port of 127.0.0.1. */
type Port = number;

/** What a link does with what one side sent: pass it on, or tear the connection down with it unsent. */
export type Watcher = (chunk: Buffer) => Buffer | 'cut';

export interface LinkOptions {
  /** Where connections go, each to the next; one that cannot be reached is passed over, and none is remembered. */
  readonly to: readonly Port[];
  /** Where it listens. */
  readonly port: Port;
  /** Made for each connection: reads what comes back from the far side. */
  readonly watchAnswers?: () => Watcher;
}

type Weather = 'fair' | 'cut' | 'black hole';

/** Forwards until told otherwise. A cut link resets what is open and what comes; a black hole takes everything and passes nothing on. */
export class Link {
  readonly #options: LinkOptions;
  #to: readonly Port[];
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #weather: Weather = 'fair';
  #isFairAgain = Promise.withResolvers<void>();
  #delayMs = 0;
  #turn = 0;

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#to = options.to;
  }

  /** Listens on its port of 127.0.0.1. */
  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    const server = createServer((near) => void link.#accept(near));
    link.#server = server;
    server.listen(options.port, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  /** What was held back goes on. */
  mend(): void {
    this.#weather = 'fair';
    this.#delayMs = 0;
    this.#isFairAgain.resolve();
    this.#isFairAgain = Promise.withResolvers<void>();
  }

  /** Every open connection is reset, and every new one. */
  cut(): void {
    this.#weather = 'cut';
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  /** Connections stay and come, and nothing arrives, in either direction. */
  blackHole(): void {
    this.#weather = 'black hole';
  }

  /** Every answer takes this much longer. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** From now on connections go there; those that are open are reset. */
  lead(to: readonly Port[]): void {
    this.#to = to;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  async #accept(near: Socket): Promise<void> {
    this.#keep(near);
    if (this.#weather === 'cut') return void near.resetAndDestroy();
    await this.#fair();
    const far = near.destroyed ? undefined : await this.#reach();
    if (far === undefined) return void near.resetAndDestroy();
    this.#keep(far);
    const watch = this.#options.watchAnswers?.();
    this.#pump(near, far, { delayed: false });
    this.#pump(far, near, { delayed: true, ...(watch === undefined ? {} : { watch }) });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#open.delete(socket));
  }

  async #reach(): Promise<Socket | undefined> {
    const to = this.#to;
    for (let tries = 0; tries < to.length; tries += 1) {
      const port = to[this.#turn % to.length] ?? 0;
      this.#turn += 1;
      const socket = connect({ host: '127.0.0.1', port });
      const reached = await Promise.race([
        once(socket, 'connect').then(
          () => true,
          () => false,
        ),
        once(socket, 'close').then(() => false),
      ]);
      if (reached) return socket;
      socket.destroy();
    }
    return undefined;
  }

  /** Passes on in order what one side sends, each piece when it is due and the weather lets it. */
  #pump(from: Socket, to: Socket, o: { readonly delayed: boolean; readonly watch?: Watcher }): void {
    let passed: Promise<unknown> = Promise.resolve();
    const inOrder = (step: () => void): void => {
      const dueAt = performance.now() + (o.delayed ? this.#delayMs : 0);
      passed = passed.then(async () => {
        const early = dueAt - performance.now();
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        await this.#fair();
        if (!to.destroyed) step();
      });
    };
    from.on('data', (chunk: Buffer) =>
      inOrder(() => {
        const kept = o.watch === undefined ? chunk : o.watch(chunk);
        if (kept !== 'cut') return void to.write(kept);
        from.resetAndDestroy();
        to.resetAndDestroy();
      }),
    );
    from.once('end', () => inOrder(() => to.end()));
    from.once('close', () => inOrder(() => to.destroySoon()));
  }

  async #fair(): Promise<void> {
    while (this.#weather === 'black hole') await this.#isFairAgain.promise;
  }
}
