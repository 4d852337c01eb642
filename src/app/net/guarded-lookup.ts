// Names of registered peers that are spoken to over streams: looked up like those of the guarded fetch.
import type { LookupFunction } from 'node:net';
import type { NetworkScope } from '../../base/ports/fetch.ts';
import { checkedAddresses, pinnedLookup, type ResolveName, systemResolve } from './guarded-fetch.ts';

/**
 * A look-up that gives only addresses of `scope`, and fails when a name has any other. Connections to a literal address make no
 * look-up: whoever configured it has said what it is.
 */
export const guardedLookup =
  (scope: NetworkScope, resolve: ResolveName = systemResolve): LookupFunction =>
  (hostname, options, callback) => {
    checkedAddresses(hostname, scope, resolve).then(
      (checked) => {
        if (checked.ok) pinnedLookup(checked.value)(hostname, options, callback);
        else callback(new Error(checked.error.detail), '');
      },
      (cause: Error) => callback(cause, ''),
    );
  };
