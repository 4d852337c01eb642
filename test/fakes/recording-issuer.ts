// An issuer that takes every job and remembers starts, ends and the tokens it gave. It listens on a port of this machine.
import { createServer, type IncomingMessage, type Server } from 'node:http';

/** Takes every job, and remembers starts and ends. */
export class RecordingIssuer {
  readonly started: Record<string, unknown>[] = [];
  readonly finished: string[] = [];
  readonly tokens: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<RecordingIssuer> {
    const server = createServer();
    const issuer = new RecordingIssuer(server);
    server.on('request', (request, response) => {
      void issuer
        .#answer(request)
        .then((body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async #answer(request: IncomingMessage): Promise<object> {
    const body: Record<string, unknown> = JSON.parse((await request.toArray()).join('') || '{}');
    const [, , , jobId = '', verb] = (request.url ?? '').split('/');
    if (verb === 'finish') this.finished.push(jobId);
    if (verb === 'heartbeat' || verb === 'finish') return {};
    if (verb === undefined) this.started.push(body);
    const token = `jobpass_rt_${this.tokens.length}-${'abcdefghij'.repeat(3)}`;
    this.tokens.push(token);
    const credential = { request_url: `${this.url}/token?v=1`, request_token: token };
    return { ...credential, job_id: `J${this.started.length}`, deadline: 2_000_000_000, env: { JOB_SAYS: 'hello' } };
  }

  close(): Promise<void> {
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}
