// A network with nothing in it but one issuer of ours: requests become calls of its routes.
import { ok } from '../../src/base/core/result.ts';
import type { GuardedFetch } from '../../src/base/ports/fetch.ts';
import type { IssuerWorld } from './issuer-world.ts';

/** The fake clients there are known by name; here they come with a secret. */
export const networkOf =
  (ci: Pick<IssuerWorld, 'call'>): GuardedFetch =>
  async (request) => {
    const { pathname, search } = new URL(request.url);
    const [name] = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64')
      .toString()
      .split(':');
    const body = String(request.body ?? '');
    const isJson = request.headers['content-type'] === 'application/json';
    const answer = await ci.call(`${request.method} ${pathname}${search}`, {
      ...(name === undefined || name === '' ? {} : { as: name }),
      ...(isJson ? { json: JSON.parse(body) } : { form: Object.fromEntries(new URLSearchParams(body)) }),
      headers: { 'content-type': request.headers['content-type'] ?? '' },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    return ok({ status: answer.status, headers: answer.headers, body: new TextEncoder().encode(answer.text) });
  };
