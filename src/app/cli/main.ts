#!/usr/bin/env node
// Entry of the command line: version check, dispatch, exit code. Commands are loaded only when they run.
import { COMMANDS } from './commands.ts';

const OLDEST_NODE = 24;

const major = Number(process.versions.node.split('.', 1)[0]);
if (major < OLDEST_NODE) {
  process.stderr.write(
    `jobpass: error: Node ${process.versions.node} is too old, Node ${OLDEST_NODE} or newer is needed\n`,
  );
  process.exitCode = 2;
} else {
  const { dispatch } = await import('./dispatch.ts');
  process.exitCode = await dispatch(process.argv.slice(2), COMMANDS);
}
