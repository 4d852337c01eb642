// What running jobs needs of this machine, as one port: folders, processes, timers. Tests put a fake in its place.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Result } from '../../base/core/result.ts';
import type { MonotonicMs } from '../../base/core/time.ts';
import type { Environment } from '../client.ts';
import type { RunnerFailure } from '../failure.ts';
import { createGit } from './git-facts.ts';
import { runStep, type StepCommand, type StepEnd } from './processes.ts';
import * as workspaces from './workspace.ts';

export interface Machine {
  /** Names this machine in the facts of its jobs. */
  readonly runnerId: string;
  newRunId(): string;
  makeRunFolder(): Promise<string>;
  openWorkspace(options: {
    readonly runFolder: string;
    readonly job: string;
    readonly root: string;
    readonly sha: string;
  }): Promise<Result<workspaces.Workspace, RunnerFailure>>;
  collectOutputs: typeof workspaces.collectOutputs;
  placeOutputs: typeof workspaces.placeOutputs;
  removeFolder: typeof workspaces.removeFolder;
  runStep(step: StepCommand): Promise<StepEnd>;
  /** Calls `action` once after `ms`; the returned function calls it off. */
  after(ms: number, action: () => void): () => void;
  monotonicMs(): MonotonicMs;
}

/** This machine. Git runs with what it needs of `env` and nothing else. */
export function createMachine(env: Environment): Machine {
  const git = createGit(env);
  return {
    runnerId: hostname(),
    newRunId: () => randomBytes(8).toString('hex'),
    makeRunFolder: workspaces.makeRunFolder,
    openWorkspace: (options) => workspaces.openWorkspace(git, options),
    collectOutputs: workspaces.collectOutputs,
    placeOutputs: workspaces.placeOutputs,
    removeFolder: workspaces.removeFolder,
    runStep: (step) => runStep(step),
    after(ms, action) {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    monotonicMs: () => performance.now(),
  };
}
