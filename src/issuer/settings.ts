// What the operator decides about the issuer. app/config makes it from jobpass.yaml.

type IdTokenAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

export interface IssuerSettings {
  /** The issuer URL, exactly as it stands in `iss`; no trailing slash. */
  readonly url: string;
  readonly algorithm: IdTokenAlgorithm;
  readonly profile: 'jobpass' | 'github';
  readonly idTokenSeconds: number;
  /** The longest deadline a controller may ask for. */
  readonly maxJobSeconds: number;
  /** Whether jobs from forks get tokens, and for which audiences only. */
  readonly forks: { readonly allow: boolean; readonly audiences: readonly string[] };
}
