// ID token, then credentials: the two calls behind `exchange` and `exec`, each timed.
import { parseDuration } from '../../base/core/duration.ts';
import { type ExchangedToken, exchangeToken, readJobEnvironment, requestIdToken } from '../../runner/client.ts';
import { CommandFailure, EXIT, type Surroundings, text } from './command.ts';
import { exchangeTarget, orFail, transport } from './runner-command.ts';

export interface TimedExchange {
  readonly role: string;
  readonly credential: ExchangedToken;
  readonly idTokenMs: number;
  readonly exchangeMs: number;
}

/** Gets the credential of the role that the options name. Ends the command when either side refuses. */
export async function exchangeInJob(surroundings: Surroundings): Promise<TimedExchange> {
  orFail(readJobEnvironment(surroundings.env));
  const target = exchangeTarget(surroundings);
  const askedSeconds = askedDuration(surroundings);
  const started = performance.now();
  const idToken = orFail(await requestIdToken(transport, { env: surroundings.env, audience: target.audience }));
  const minted = performance.now();
  const credential = orFail(
    await exchangeToken(transport, {
      stsUrl: target.stsUrl,
      role: target.role,
      token: idToken.token,
      nowSeconds: Math.floor(Date.now() / 1000),
      ...(askedSeconds === undefined ? {} : { askedSeconds }),
    }),
  );
  return { role: target.role, credential, idTokenMs: minted - started, exchangeMs: performance.now() - minted };
}

function askedDuration(surroundings: Surroundings): number | undefined {
  const written = text(surroundings.options.duration);
  if (written === undefined) return undefined;
  const seconds = parseDuration(written);
  if (seconds === undefined)
    throw new CommandFailure(`--duration ${written} is not a duration`, {
      exitCode: EXIT.usage,
      hint: '45s, 30m or 2h',
    });
  return seconds;
}
