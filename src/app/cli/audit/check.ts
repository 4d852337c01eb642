// Checks a trail: opens its checkpoints with the server's keys, then follows every chain.
import { type Checkpoint, openCheckpoint } from '../../../base/audit/checkpoint.ts';
import { type CheckpointKey, importCheckpointKeys } from '../../../base/audit/own-checkpoints.ts';
import type { AuditReport } from '../../../base/audit/report.ts';
import type { StoredCheckpoint } from '../../../base/audit/store.ts';
import { AuditVerifier } from '../../../base/audit/verify.ts';
import type { VerificationKey } from '../../../base/jwt/jwk.ts';
import { CommandFailure, EXIT } from '../command.ts';
import type { Trail } from './trail.ts';

/** What was checked, and with what. */
export interface CheckedTrail extends AuditReport {
  readonly issuer: string;
  /** Checkpoints whose signature holds. */
  readonly checkpoints: number;
  /** Signed by a key that was revoked: whoever has it can sign anything, so they prove nothing. */
  readonly disregarded: number;
  /** Chains whose beginning is not in the file. */
  readonly partial: number;
  /** The moment of the newest checkpoint, in epoch seconds; null: there is none. */
  readonly upTo: number | null;
}

/** What the trail is checked with besides itself. */
export interface CheckOptions {
  readonly keys: readonly CheckpointKey[];
  /** Checkpoints kept outside of the database. */
  readonly anchored: readonly string[];
}

/** Reads the whole trail once. Ends the command when the keys cannot be read. */
export async function checkTrail(trail: Trail, options: CheckOptions): Promise<CheckedTrail> {
  const opener = new Opener(trail.issuer, options.keys);
  for await (const checkpoint of trail.checkpoints()) await opener.open(checkpoint);
  for (const jws of options.anchored) await opener.open({ at: null, jws });
  const { checkpoints, disregarded, problems } = opener;
  const verifier = new AuditVerifier({ heads: trail.heads, from: trail.from, checkpoints });
  for (const problem of problems) verifier.refuseCheckpoint(problem);
  for await (const entry of trail.entries()) verifier.add(entry);
  const report = verifier.finish(await trail.headsAfter());
  const upTo = checkpoints.reduce<number | null>((latest, { at }) => Math.max(latest ?? at, at), null);
  const partial = trail.from.length;
  return { issuer: trail.issuer, ...report, checkpoints: checkpoints.length, disregarded, partial, upTo };
}

/** Opens checkpoints, each text once. */
class Opener {
  readonly checkpoints: Checkpoint[] = [];
  readonly problems: string[] = [];
  disregarded = 0;
  readonly #issuer: string;
  readonly #keys: readonly VerificationKey[];
  readonly #revoked: ReadonlySet<unknown>;
  readonly #seen = new Set<string>();

  constructor(issuer: string, keys: readonly CheckpointKey[]) {
    const imported = importCheckpointKeys(keys);
    if (!imported.ok)
      throw new CommandFailure(`the keys cannot be read: ${imported.error.detail}`, { exitCode: EXIT.usage });
    this.#issuer = issuer;
    this.#keys = imported.value;
    this.#revoked = new Set(keys.filter(({ state }) => state === 'revoked').map(({ jwk }) => jwk.kid));
  }

  async open({ at, jws }: { readonly at: StoredCheckpoint['at'] | null; readonly jws: string }): Promise<void> {
    const name = at === null ? 'a checkpoint of the anchor' : `the checkpoint of ${new Date(at * 1000).toISOString()}`;
    const opened = await openCheckpoint(jws, this.#keys);
    if (!opened.ok) this.problems.push(`${name}: ${opened.error.reason}, ${opened.error.detail}`);
    else if (opened.value.issuer !== this.#issuer) this.problems.push(`${name} is of ${opened.value.issuer}`);
    else if (at !== null && opened.value.at !== at)
      this.problems.push(`${name} was signed at ${new Date(opened.value.at * 1000).toISOString()}`);
    else if (this.#revoked.has(opened.value.kid)) this.disregarded += 1;
    else if (!this.#seen.has(jws)) this.checkpoints.push(opened.value);
    this.#seen.add(jws);
  }
}
