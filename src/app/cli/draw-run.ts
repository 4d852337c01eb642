// Draws a run for people: what starts, what it prints, how it ended.
import { formatDuration } from '../../base/core/duration.ts';
import { shortId } from '../../base/core/ids.ts';
import type { RunEvent } from '../../runner/ci/events.ts';
import { type Paint, printable } from './paint.ts';

/** Seconds of a step or job: `0.9 s`, `2 min 5 s`. */
export const seconds = (value: number): string => (value < 60 ? `${value.toFixed(1)} s` : formatDuration(value));

/** A reporter that says each event as one line. Output lines carry their job's name; they are masked already. */
export function drawRun(say: (line: string) => void, paint: Paint): (event: RunEvent) => void {
  return (event) => {
    const line = describe(event, paint);
    if (line !== undefined) say(line);
  };
}

function describe(event: RunEvent, paint: Paint): string | undefined {
  switch (event.kind) {
    case 'run_started': {
      const { facts, fork } = event;
      const dirty = facts.dirty ? '   uncommitted changes do not run' : '';
      return `${paint.strong(printable(facts.ref))} @ ${facts.sha.slice(0, 7)}  by ${printable(facts.actor.name)}${fork ? '  from a fork' : ''}${dirty}`;
    }
    case 'job_started':
      return `▸ ${printable(event.job.name)}   job ${shortId(event.jobId)}`;
    case 'output':
      return `${paint.faint(`  ${printable(event.job)} │`)} ${event.line}`;
    case 'output_made':
      return `  ${printable(event.job)} made ${printable(event.file)} (${event.bytes} bytes)`;
    case 'job_finished':
      return finished(event.result, paint);
    case 'job_skipped':
      return `– ${printable(event.job)}   skipped: ${printable(event.because)}`;
    case 'finish_failed':
      return paint.bad(
        `! the issuer could not be told that ${printable(event.job)} ended: ${printable(event.failure.message, 200)}`,
      );
    case 'folder_left':
      return paint.bad(`! ${event.folder} could not be deleted: ${printable(event.problem, 200)}`);
    default:
      return undefined;
  }
}

function finished(result: Extract<RunEvent, { kind: 'job_finished' }>['result'], paint: Paint): string {
  const mark = result.outcome === 'succeeded' ? paint.good('✓') : paint.bad('✗');
  const message = result.message === null ? '' : `   ${printable(result.message, 200)}`;
  const decision = result.failure?.decisionId === undefined ? '' : `   decision ${result.failure.decisionId}`;
  return `${mark} ${printable(result.job)}   ${seconds(result.seconds)}${message}${decision}`;
}
