// The form of what is known about a CI provider: its issuer, its claims, its events. The facts stand in a file per provider.
import type { JsonValue } from '../core/json.ts';

/**
 * Who can choose a claim's value: the provider alone; whoever administers the repository, organization or instance; or
 * anyone who can push a branch or open a change.
 */
export type Setter = 'provider' | 'owner' | 'anyone';

/** What is known of one claim. */
export interface ProviderClaim {
  /** The value never changes and is never given to another thing: a name that can be freed and taken again is not immutable. */
  readonly immutable: boolean;
  readonly setBy: Setter;
  readonly example: JsonValue;
  /** When a token carries it; absent: always. */
  readonly when?: string;
  /** What its reader should know. */
  readonly note?: string;
}

/** A value that an event's claims are made of. */
export interface EventParameter {
  /** Text that may hold other parameters as `{name}`; null: absent unless given, and so is every claim made of it. */
  readonly value: string | null;
  /** The only values it may have. */
  readonly oneOf?: readonly string[];
  /** It is one name of a path: `web`, not `acme/web`. */
  readonly isOneName?: true;
}

/** Ways to write `sub`, each in order of precedence: the first whose parameters are all there is taken. */
export type SubjectForms = Readonly<Record<string, readonly string[]>>;

/** Something that starts a job, by the name that tests call it. */
export interface EventTemplate {
  /** `github push`; with an argument also `github push main`. */
  readonly name: string;
  readonly alias?: string;
  /** The parameter that one more word after the name gives. */
  readonly argument?: string;
  /** Why such a job gets no token at all; absent: it gets one. */
  readonly noToken?: string;
  /** What should be known before a policy relies on such tokens. */
  readonly note?: string;
  /** Parameters whose value differs from the provider's. */
  readonly parameters?: Readonly<Record<string, string | null>>;
  /** Claims that differ from those of the provider's other tokens. */
  readonly claims?: Readonly<Record<string, JsonValue>>;
  /** Instead of the provider's. */
  readonly subjects?: SubjectForms;
}

/** How the provider's tokens are made of parameters, for providers other than our own. */
export interface TokenTemplate {
  /** `{name}` in texts stands for a parameter; a claim whose parameter is absent is left out. */
  readonly claims: Readonly<Record<string, JsonValue>>;
  /** The first form is the default; the parameter `subject` names another. */
  readonly subjects: SubjectForms;
  /** `:` in a value becomes `%3A` in `sub`. */
  readonly encodesColon?: true;
}

/** A CI provider. */
export interface Provider {
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  readonly issuer: {
    /** The usual one; `{name}` stands for a parameter. */
    readonly usual: string;
    /** Every issuer that is certainly this provider's; null: any URL may be, and none says so. */
    readonly pattern: RegExp | null;
    /** What stands behind the pattern, in words. */
    readonly form: string;
  };
  /** By name; a name that ends in `*` stands for every claim that begins so. */
  readonly claims: Readonly<Record<string, ProviderClaim>>;
  readonly parameters: Readonly<Record<string, EventParameter>>;
  /** `exp` - `iat` in seconds. */
  readonly lifetimeSeconds: number;
  /** `iat` - `nbf` in seconds; null: the tokens have no `nbf`. */
  readonly backdatedSeconds: number | null;
  /** `jobpass`: made by our own identity room, under the profile of this name. */
  readonly token: TokenTemplate | { readonly profile: 'jobpass' | 'github' };
  readonly events: readonly EventTemplate[];
}
