// Where the shared test vectors are, and what a test without them does: it is skipped where everyone can see it, and
// fails in CI, which always has them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'vitest';

/** `../shared/vectors` beside the checkout, or the folder named by JOBPASS_VECTORS. */
const FOLDER = process.env.JOBPASS_VECTORS ?? resolve(import.meta.dirname, '../../../shared/vectors');

/** The parsed content of a vector file. Precondition: called inside `describeVectors`. */
export const readVectors = (path: string): unknown => JSON.parse(readVectorText(path));

/** The text of a vector file. Precondition: called inside `describeVectors`. */
export const readVectorText = (path: string): string => readFileSync(join(FOLDER, path), 'utf8');

/** The names of the files in a folder of vectors. Precondition: called inside `describeVectors`. */
export const listVectors = (folder: string): readonly string[] => readdirSync(join(FOLDER, folder)).sort();

/** A test suite over vector files. Without the folder: one visible skipped test, or, with CI=true, one failing test. */
export function describeVectors(name: string, suite: () => void): void {
  if (existsSync(FOLDER)) describe(name, suite);
  else if (process.env.CI === 'true') {
    it(`${name}: has its vectors`, () => {
      throw new Error(`no test vectors at ${FOLDER}; CI must have them`);
    });
  } else it.skip(`${name}: SKIPPED, no test vectors at ${FOLDER} (set JOBPASS_VECTORS)`);
}
