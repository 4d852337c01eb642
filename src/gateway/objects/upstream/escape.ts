// Names in the paths, queries and headers of S3 requests. Pure.

/** RFC 3986 §2.3: everything but the unreserved characters is escaped, as signatures want it. */
export const escapeText = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** As `escapeText`, slashes kept. */
export const escapePath = (path: string): string => path.split('/').map(escapeText).join('/');
