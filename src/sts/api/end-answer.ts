// What the operator's routes that end something have in common: their bodies, and how soon an end is felt.
import type { z } from 'zod';
import { MAX_STALENESS_MS } from '../../base/core/limits.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import type { HttpRequest } from '../../base/ports/http.ts';

/** In seconds: at a gateway that hears its STS, and at one that does not, which then refuses everything (design, section 3). */
export const FELT_WITHIN = { seconds: 2, at_the_latest_seconds: MAX_STALENESS_MS / 1000 } as const;

/** What must end waits so long for the look at what it ends; without a head start the look could find it ended already. */
const HEAD_START_MS = 200;

/** Whether the look was over before its head start was. */
export async function headStart(looking: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), HEAD_START_MS);
  const isOver = await Promise.race([looking.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}

/** A JSON body of this form, strictly. */
export function readBody<T>({ body }: HttpRequest, schema: z.ZodType<T>): Result<T, Failure> {
  const json = parseJsonObject(body);
  if (!json.ok) return err(failure('request_malformed', `${json.error.problem} at byte ${json.error.offset}`));
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return err(failure('request_malformed', `${issue?.path.map(String).join('.') || 'the body'}: ${issue?.message}`));
}
