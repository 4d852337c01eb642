// RFC 9728: what anyone may learn of a guarded resource before having a credential, and how a refusal leads there.
import type { IncomingMessage, ServerResponse } from 'node:http';

const PATH = '/.well-known/oauth-protected-resource';
/** As long as readers keep the STS's own metadata. */
const MAX_AGE_SECONDS = 300;

export interface ResourceMetadata {
  /** Where the document is (RFC 9728 §3), for the challenges of refusals. */
  readonly url: string;
  readonly document: string;
}

/**
 * The document of the resource at `resource`, an origin without a path. It says who gives credentials for it and how they are
 * presented (RFC 6750 §2.1), and nothing of what there is.
 */
export const resourceMetadata = (o: { readonly resource: string; readonly stsUrl: string }): ResourceMetadata => ({
  url: `${o.resource}${PATH}`,
  document: JSON.stringify({
    resource: o.resource,
    authorization_servers: [o.stsUrl],
    bearer_methods_supported: ['header'],
  }),
});

/** Whether the request asks for the document: byte for byte, so that nothing else of the resource is open. */
export const asksForMetadata = ({ method, url }: IncomingMessage): boolean =>
  url === PATH && (method === 'GET' || method === 'HEAD');

/** Answers with the document; Node leaves the body out for HEAD. */
export function writeMetadata(
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
  { document }: ResourceMetadata,
): void {
  // A body that waits for `100 Continue` will not come: this connection has no next request.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(document)),
    'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
  });
  res.end(document);
}
