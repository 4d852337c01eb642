// Headers that every answer of the Blob service has, and the versions of the protocol that are served.

/**
 * Versions in which all that is served means the same: from the first that says how a listing writes names that XML cannot
 * hold, to the one that the SDK speaks. Azure's versions are dates.
 */
export const VERSIONS = { first: '2021-02-12', last: '2026-10-06' } as const;

/** Whether a client that speaks `version` is served. */
export const isServedVersion = (version: string): boolean =>
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(version) && version >= VERSIONS.first && version <= VERSIONS.last;

/** Azure's bound. */
const CLIENT_REQUEST_ID = /^[\x20-\x7e]{1,1024}$/;

/** What an answer says of itself and of the request; `requestId` leads the caller to the log. */
export function commonHeaders(o: {
  readonly requestId: string;
  readonly nowSeconds: number;
  /** As the client sent them. */
  readonly version: string | undefined;
  readonly clientRequestId: string | undefined;
}): Readonly<Record<string, string>> {
  const { clientRequestId, version } = o;
  return {
    date: new Date(o.nowSeconds * 1000).toUTCString(),
    'x-ms-request-id': o.requestId,
    'x-ms-version': version !== undefined && isServedVersion(version) ? version : VERSIONS.last,
    ...(clientRequestId !== undefined && CLIENT_REQUEST_ID.test(clientRequestId)
      ? { 'x-ms-client-request-id': clientRequestId }
      : {}),
  };
}

/**
 * What a 401 says. The form is Azure's, without quotes and commas: its SDKs take it apart at spaces and throw when there is no
 * URL in it. They look for a tenant's GUID in the URL's path, where there is none, and then tell the 401 to their caller.
 */
export const challenge = (stsUrl: string): string =>
  `Bearer authorization_uri=${stsUrl}/common/oauth2/authorize resource_id=https://storage.azure.com`;
