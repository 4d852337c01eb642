// What the commands beside a job share: the transport, the audience, and how a runner's failure ends a command.
import type { Result } from '../../base/core/result.ts';
import type { Transport } from '../../runner/client.ts';
import { exitCodeOf, type Peer, type RunnerFailure } from '../../runner/failure.ts';
import { CommandFailure, EXIT, type ExitCode, type Surroundings, text } from './command.ts';

export const transport: Transport = {
  fetch: globalThis.fetch,
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
};

export const STS_OPTIONS = {
  role: { type: 'string' },
  sts: { type: 'string' },
  audience: { type: 'string' },
  duration: { type: 'string' },
} as const;

export const STS_HELP = {
  role: 'the role, as TENANT/NAME',
  sts: 'the URL of the STS (default: $JOBPASS_STS)',
  audience: 'the audience of the ID token (default: the URL of the STS)',
  duration: 'ask for less than the role gives: 5m',
};

/** The value, or the end of the command. */
export function orFail<T>(result: Result<T, RunnerFailure>): T {
  if (result.ok) return result.value;
  const { message, hint, decisionId, reason, refusedBy } = result.error;
  const decision = decisionId === undefined ? '' : `   decision ${decisionId}`;
  throw new CommandFailure(`${message}${reason === undefined ? '' : ` (${reason})`}${decision}`, {
    exitCode: exitCodeOf(result.error) as ExitCode,
    hint: hint ?? (decisionId === undefined ? undefined : whereToLook(decisionId, refusedBy)),
  });
}

/** The STS answers about its decisions; what an issuer refused stands in its log only. */
function whereToLook(decisionId: string, refusedBy: Peer | undefined): string {
  return refusedBy === 'the STS'
    ? `the operator sees why: jobpass decisions show ${decisionId}`
    : `the operator reads why in the issuer’s log under ${decisionId}`;
}

/** The STS and the role of an exchange, from options and environment. */
export function exchangeTarget(surroundings: Surroundings): { stsUrl: string; role: string; audience: string } {
  const stsUrl = text(surroundings.options.sts) ?? surroundings.env.JOBPASS_STS;
  const role = text(surroundings.options.role);
  if (stsUrl === undefined || role === undefined)
    throw new CommandFailure(`${role === undefined ? 'which role' : 'which STS'}?`, {
      exitCode: EXIT.usage,
      hint: role === undefined ? '--role main/publish-web' : '--sts https://sts.example.com, or JOBPASS_STS',
    });
  return { stsUrl, role, audience: text(surroundings.options.audience) ?? stsUrl };
}
