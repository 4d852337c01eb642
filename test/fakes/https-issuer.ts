// An issuer of ours whose two public documents stand at an https URL of a private authority, as a proxy serves them.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { ForeignIssuer } from './foreign-issuer.ts';
import { listen } from './guarded-resource.ts';
import { makePrivateCa } from './private-ca.ts';

export interface HttpsIssuer {
  readonly issuer: ForeignIssuer;
  /** Its name, and where its documents are. */
  readonly url: string;
  /** The authority's certificate, a PEM file. */
  readonly ca: string;
  close(): Promise<void>;
}

/** Starts both; keys and certificates are made below `folder`. */
export async function startHttpsIssuer(openssl: string, folder: string): Promise<HttpsIssuer> {
  const { ca, certificate, key } = makePrivateCa(openssl, folder);
  const proxy = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  const url = `https://localhost:${await listen(proxy)}`;
  const issuer = new ForeignIssuer(url);
  await issuer.start();
  proxy.on('request', async ({ url: path = '' }, answer) => {
    const isPublic = /^\/\.well-known\/(?:openid-configuration|jwks)$/.test(path);
    if (isPublic) answer.end(await (await fetch(`${issuer.url}${path}`)).text());
    else answer.writeHead(404).end();
  });
  const close = async (): Promise<void> => {
    proxy.closeAllConnections();
    proxy.close();
    await issuer.close();
  };
  return { issuer, url, ca, close };
}
