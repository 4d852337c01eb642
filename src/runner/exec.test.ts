import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Secret } from '../base/core/secret.ts';
import { childEnvironment, runWithCredential } from './exec.ts';

const CREDENTIAL = { accessToken: new Secret('access-token'), expiresAt: 1598, sessionId: 'S4F1', decisionId: 'D1' };
const ENV = {
  PATH: process.env.PATH,
  KEPT: 'yes',
  ACTIONS_ID_TOKEN_REQUEST_URL: 'u',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't',
};

const run = (script: string, signals = new EventEmitter(), terminal = false) =>
  runWithCredential({ command: 'sh', args: ['-c', script], env: ENV, credential: CREDENTIAL, signals, terminal });

describe('the environment of the command', () => {
  it('holds the credential and no longer the right to ask for others', () => {
    expect(childEnvironment({ env: ENV, credential: CREDENTIAL })).toEqual({
      PATH: process.env.PATH,
      KEPT: 'yes',
      JOBPASS_ACCESS_TOKEN: 'access-token',
      JOBPASS_ACCESS_TOKEN_EXPIRES_AT: '1598',
      JOBPASS_SESSION_ID: 'S4F1',
    });
  });

  it('keeps the right to ask when told to', () => {
    const env = childEnvironment({ env: ENV, credential: CREDENTIAL, keepIdentity: true });
    expect(env.ACTIONS_ID_TOKEN_REQUEST_TOKEN).toBe('t');
  });
});

describe('the command', () => {
  it('gets the credential, and its exit code comes back', async () => {
    const script = 'test "$JOBPASS_ACCESS_TOKEN" = access-token && test -z "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" && exit 7';
    expect(await run(script)).toEqual({ ok: true, value: 7 });
  });

  it('ended by a signal gives 128 and the signal’s number', async () => {
    expect(await run('kill -TERM $$')).toEqual({ ok: true, value: 143 });
  });

  it('gets the signals that come here, and the listeners go with it', async () => {
    const signals = new EventEmitter();
    const done = run('exec sleep 20', signals);
    signals.emit('SIGTERM');
    expect(await done).toEqual({ ok: true, value: 143 });
    expect(signals.eventNames()).toEqual([]);
  });

  it('is not sent a Ctrl-C that the terminal sends it anyway', async () => {
    const signals = new EventEmitter();
    const done = run('exit 0', signals, true);
    signals.emit('SIGINT');
    expect(await done).toEqual({ ok: true, value: 0 });
  });

  it('that does not exist is a usage failure', async () => {
    const options = { args: [], env: ENV, credential: CREDENTIAL, signals: new EventEmitter(), terminal: false };
    const missing = await runWithCredential({ ...options, command: 'no-such-command-anywhere' });
    expect(missing).toMatchObject({ ok: false, error: { kind: 'usage' } });
  });
});
