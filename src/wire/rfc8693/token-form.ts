// The form of a token request: every parameter once, but for the targets that RFC 8693 lets repeat. It interprets none of them.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { decodePairs } from '../urlencoded.ts';

export interface TokenForm {
  /** Each parameter but `resource`, by name. */
  readonly single: ReadonlyMap<string, string>;
  /** The values of `resource` that are not empty, each once. */
  readonly resources: readonly string[];
}

/**
 * The parameters of a body. `resource` may repeat (RFC 8693 §2.1); so may `audience` there, but here a request names one role, so
 * that is `target_malformed`. Any other repeated parameter is `request_malformed` (RFC 6749 §3.2). The failure's detail holds no value.
 */
export function readTokenForm(body: Uint8Array): Result<TokenForm, Failure> {
  const pairs = decodePairs(body);
  if (!pairs.ok) return pairs;
  const single = new Map<string, string>();
  const resources = new Set<string>();
  for (const { name, value } of pairs.value) {
    if (name === 'resource') {
      if (value !== '') resources.add(value);
    } else if (single.has(name)) {
      const reason = name === 'audience' ? 'target_malformed' : 'request_malformed';
      return err(failure(reason, `${name === 'audience' ? name : 'a parameter'} stands twice`));
    } else single.set(name, value);
  }
  return ok({ single, resources: [...resources] });
}
