// What one cloud asks of a token, of its issuer and of its own document. Each stands in a folder of its own; nothing beside those
// folders knows a cloud by name.
import type { Claims, JsonObject } from '../../../base/core/json.ts';
import type { EpochSeconds } from '../../../base/core/time.ts';
import type { ParsedJws } from '../../../base/jwt/jws.ts';
import type { RoleExplanation } from '../../../policy/explain.ts';
import type { Finding } from './finding.ts';

/** A part of an issuer's URL that some STS does not take. */
export type IssuerPart = 'http' | 'a port';

/** The checks of one cloud, and its words where the common ones need them. */
export interface Cloud {
  /** As its option is called. */
  readonly id: 'aws' | 'gcp' | 'azure';
  /** As people call whoever verifies the token. */
  readonly name: string;
  /** False: an STS that speaks like the cloud's; what the cloud would refuse on its account may be taken there. */
  readonly isItself: boolean;
  /** Its page, for fixes. */
  readonly page: string;
  /** What names the issuer in the examined file: `the provider`. */
  readonly document: string;
  /** What must be one text with the token's `iss`. */
  readonly issuerFix: string;
  readonly issuerForm: {
    readonly refused: readonly IssuerPart[];
    /** What it takes instead: `https on its own port alone`. */
    readonly taken: string;
  };
  /** JOSE names of what verifies. */
  readonly algorithms: readonly string[];
  /** False: it was given the keys, and asks the issuer for none. */
  readonly fetchesKeys: boolean;
  /** Thumbprints are registered there. */
  readonly wantsThumbprints: boolean;
  /** Checks of the token by itself. */
  tokenFindings(token: ParsedJws, now: EpochSeconds): readonly Finding[];
  /** Checks of the role that its document makes, explained for the token. */
  trustFindings(role: RoleExplanation, claims: Claims): readonly Finding[];
  /** Checks of the keys beyond their having signed the token; undefined: the issuer's could not be had. */
  keyFindings(published: readonly JsonObject[] | undefined, token: ParsedJws): Promise<readonly Finding[]>;
}
