import { describe, expect, test } from 'vitest';
import { inFreshFolder, jobpass } from './jobpass.ts';

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  inFreshFolder((folder) => jobpass(args, { folder, env }));

describe('the command line', () => {
  test('without a command shows what there is, as a usage error', async () => {
    const { code, stdout, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('usage: jobpass COMMAND');
  });

  test('help is an answer on stdout', async () => {
    const { code, stdout, stderr } = await run(['help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const name of [
      'init',
      'serve',
      'demo',
      'run',
      'token',
      'exchange',
      'exec',
      'whoami',
      'job start',
      'decisions show',
    ])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  test.each([
    'init',
    'serve',
    'demo',
    'run',
    'token',
    'exchange',
    'exec',
    'whoami',
    'job start',
    'job heartbeat',
    'job finish',
    'decisions show',
    'decisions list',
    'audit tail',
    'audit verify',
    'audit export',
    'audit prune',
    'audit keys',
    'policy test',
    'keys export',
  ])('%s --help explains itself', async (name) => {
    const { code, stdout } = await run([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`usage: jobpass ${name}`);
  });

  test.each([
    [['frobnicate'], 'unknown command "frobnicate"'],
    [['decisions'], 'incomplete command "decisions"'],
    [['token', '--bogus'], "Unknown option '--bogus'"],
    [['serve', '--config'], 'argument missing'],
  ])('%j is a usage error in one line', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('on a Node that is too old, one clear line says so', async () => {
    const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'22.11.0'})";
    const { code, stderr } = await inFreshFolder((folder) =>
      jobpass(['help'], { folder, nodeArguments: ['--import', old] }),
    );
    expect(code).toBe(2);
    expect(stderr).toBe('jobpass: error: Node 22.11.0 is too old, Node 24 or newer is needed\n');
  });
});

describe('outside a job', () => {
  test.each([
    ['token', '--audience', 'https://sts.example.com'],
    ['exchange', '--role', 'main/deploy', '--sts', 'https://sts.example.com'],
    ['exec', '--role', 'main/deploy', '--sts', 'https://sts.example.com', '--', 'true'],
    ['whoami', '--audience', 'https://sts.example.com'],
  ])('%s says so and how to be in one', async (...args) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^jobpass: error: not inside a job: .+ {3}hint: .+\n$/);
  });

  test('an issuer that does not answer is unavailable', async () => {
    const { code, stderr } = await run(['token', '--audience', 'a'], {
      ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:9/id-token?v=1',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'not-a-real-token',
    });
    expect(code).toBe(4);
    expect(stderr).toContain('http://127.0.0.1:9 does not answer');
    expect(stderr).not.toContain('not-a-real-token');
  });

  test('without an operator credential, or without a server, decisions cannot be asked for', async () => {
    expect(await run(['decisions', 'show', 'D9XM'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no operator credential'),
    });
  });

  test('a pipeline without an issuer says how to start one', async () => {
    expect(await run(['job', 'finish', 'J1'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('jobpass serve --dev'),
    });
  });
});
