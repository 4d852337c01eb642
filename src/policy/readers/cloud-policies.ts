// The clouds' own trust documents: which cloud one is of, and its trust entry. What each cloud wants is in its own reader.
import * as z from 'zod';
import type { JsonValue } from '../../base/core/json.ts';
import { MAX_POLICY_BYTES, MAX_POLICY_CLAUSES } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Problem } from '../../base/document/problem.ts';
import { readDocument } from '../../base/document/read.ts';
import type { Trust } from '../trust/trust.ts';
import { compileAwsTrust } from './aws.ts';
import { detectAwsTrust } from './aws-detect.ts';
import { compileAzureTrust, detectAzure } from './azure.ts';
import type { CloudReading } from './cloud-document.ts';
import { compileGcpTrust, detectGcp } from './gcp.ts';

/** A cloud whose trust documents are read. */
export type Cloud = keyof typeof CLOUDS;

interface CloudReader {
  readonly compile: (value: JsonValue, reading: CloudReading) => Trust | undefined;
  readonly detect: (value: JsonValue) => JsonValue | undefined;
}

const CLOUDS = {
  aws: { compile: compileAwsTrust, detect: (value) => detectAwsTrust(value)?.document },
  gcp: { compile: compileGcpTrust, detect: detectGcp },
  azure: { compile: compileAzureTrust, detect: detectAzure },
} as const satisfies Readonly<Record<string, CloudReader>>;

/** Their names, as they stand in role files. */
export const CLOUD_NAMES = Object.keys(CLOUDS) as readonly Cloud[];

/** The cloud that the document is of, by its shape; undefined when it is none's. */
export const cloudOf = (value: JsonValue): Cloud | undefined =>
  CLOUD_NAMES.find((cloud) => CLOUDS[cloud].detect(value) !== undefined);

/**
 * The trust entry of a cloud's document, with that cloud's semantics. Reports every problem and returns undefined when there
 * was one. Never throws, whatever the value is.
 */
export function compileCloudTrust(cloud: Cloud, value: JsonValue, reading: CloudReading): Trust | undefined {
  if (countLeaves(value) > MAX_POLICY_CLAUSES) {
    reading.report(reading.at, `holds more than ${MAX_POLICY_CLAUSES} clauses`);
    return undefined;
  }
  return CLOUDS[cloud].compile(value, reading);
}

/** Everything in the value that is no list and no mapping: no fewer than what is compared. */
export function countLeaves(value: JsonValue | undefined): number {
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 1;
  return Object.values(value).reduce((count: number, part: JsonValue) => count + countLeaves(part), 0);
}

// The clouds' readers know the form; here anything goes that YAML or JSON can say.
const anyValue = z.unknown();

export interface CloudFileOptions extends Pick<CloudReading, 'allowedIssuers' | 'anyAccount'> {
  /** Absent: it is found by the shape. */
  readonly cloud?: Cloud;
}

/** A file that holds nothing but a cloud's document. Errors: all problems. */
export function readCloudFile(
  source: { readonly file: string; readonly text: string },
  { cloud, ...options }: CloudFileOptions = {},
): Result<Trust, readonly Problem[]> {
  let trust: Trust | undefined;
  const document = readDocument(source, anyValue, {
    maxBytes: MAX_POLICY_BYTES,
    check(value, report, lineOf) {
      const found = cloud ?? cloudOf(value);
      if (found === undefined) report([], `wanted a trust document of ${CLOUD_NAMES.join(', ')}`);
      else trust = compileCloudTrust(found, value, { report, at: [], lineOf, ...options });
    },
  });
  if (!document.ok) return document;
  // A reader that gave neither an entry nor a problem must not become a file without rules.
  return trust === undefined ? err([document.value.problemAt([], 'could not be compiled')]) : ok(trust);
}
