// Reads jobpass.yaml into a plan. Every problem is reported at once, with its place; nothing is started here.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Problem } from '../../base/document/problem.ts';
import { readDocument } from '../../base/document/read.ts';
import type { Plan } from './plan.ts';
import { planGateway } from './plan-gateway.ts';
import { planIssuer } from './plan-issuer.ts';
import { planLimits, planRanges } from './plan-limits.ts';
import { planSts } from './plan-sts.ts';
import { ProblemList } from './problem-list.ts';
import { type ConfigFile, configSchema } from './schema.ts';
import { parseListen } from './schema-texts.ts';

const MAX_CONFIG_BYTES = 256 * 1024;

export interface ConfigDocument {
  readonly file: string;
  /** The folder relative paths start from. */
  readonly folder: string;
  readonly value: ConfigFile;
  readonly positionOf: (path: readonly (string | number)[]) => { readonly line: number; readonly column: number };
}

/** The validated file, no reference resolved. Enough for commands that only need to know where a server is. */
export function readConfig(path: string, workingFolder: string): Result<ConfigDocument, readonly Problem[]> {
  const file = resolve(workingFolder, path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return err([
      {
        file: path,
        line: 1,
        column: 1,
        path: '',
        message: 'the file cannot be read',
        hint: 'jobpass init writes one; --config FILE names another',
      },
    ]);
  }
  const schema: z.ZodType<ConfigFile> = configSchema;
  const document = readDocument({ file: path, text }, schema, { maxBytes: MAX_CONFIG_BYTES });
  if (!document.ok) return document;
  return ok({ file: path, folder: dirname(file), value: document.value.value, positionOf: document.value.positionOf });
}

/** The whole plan: cross-checks made, secrets and keys read from where the file says. */
export function loadPlan(
  document: ConfigDocument,
  env: Readonly<Record<string, string | undefined>>,
): Result<Plan, readonly Problem[]> {
  const problems = new ProblemList(document);
  const { value } = document;
  const places = { folder: document.folder, env };
  const clockSkew = value.limits?.clock_skew;
  const plan = {
    issuer: value.issuer === undefined ? null : planIssuer(value.issuer, { places, problems }),
    sts: value.sts === undefined ? null : planSts(value.sts, { places, problems, clockSkew }),
    gateways: (value.gateways ?? []).map((gateway, index) =>
      planGateway(gateway, index, { places, problems, clockSkew }),
    ),
    limits: planLimits(value.limits),
    observability: {
      listen: parseListen(value.observability?.listen ?? '') ?? null,
      metricsFrom: planRanges(value.observability?.metrics_from),
    },
    logLevel: value.observability?.log_level ?? ('info' as const),
  };
  if (value.issuer === undefined && value.sts === undefined && (value.gateways ?? []).length === 0)
    problems.add([], 'nothing to serve', 'add a section: issuer, sts or gateways');
  const names = (value.gateways ?? []).map(({ name }) => name);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) !== index) problems.add(['gateways', index, 'name'], 'two gateways have this name');
  return problems.list.length > 0 ? err(problems.list) : ok(plan);
}
