// What a wire asks the pipeline for. Reading it from a protocol is the wire's business, granting it the pipeline's.
import type { Wire } from '../base/audit/record.ts';
import type { RoleRef } from '../base/core/decision.ts';
import type { Narrowing } from './narrowing.ts';

/** An application as Azure's clients name it, in lower case. */
interface AzureApplication {
  readonly tenant: string;
  readonly clientId: string;
}

/** What every wire asks for, however it names the role. */
export interface CredentialRequest extends Narrowing {
  readonly wire: Wire;
  readonly token: string;
  /** Undefined: as long as the role allows. */
  readonly askedSeconds: number | undefined;
  readonly remoteAddress: string;
  /** The client that authenticated besides presenting the token; absent: none did, or the wire has no clients. */
  readonly client?: string;
  /** Audiences that the wire takes besides those of the issuer's registration, for this request alone. */
  readonly audiences?: readonly string[];
  /** What the caller calls its session; only on wires that have such a name. */
  readonly sessionName?: string;
}

/** An identity token for a session of one role. */
export interface ExchangeRequest extends CredentialRequest {
  /** A name in a cloud that no role has is refused as any unknown role is: after the token was verified. */
  readonly role: RoleRef | { readonly awsRoleArn: string } | { readonly azure: AzureApplication };
}

/** An identity token for whatever a provider has: the session of its own role, or of none yet when all its roles have accounts. */
export interface ProviderRequest extends CredentialRequest {
  /** As roles name it. */
  readonly provider: string;
  /** Whether an account may be taken on with what is granted. */
  readonly takesAccounts: boolean;
}

/** A token of ours, given at a provider, for a session of the role that has this account there. */
export interface AccountRequest extends CredentialRequest {
  readonly serviceAccount: string;
}
