// What a wire asks the pipeline for. Reading it from a protocol is the wire's business, granting it the pipeline's.
import type { Wire } from '../base/audit/record.ts';
import type { RoleRef } from '../base/core/decision.ts';
import type { Narrowing } from './narrowing.ts';

/** An application as Azure's clients name it, in lower case. */
interface AzureApplication {
  readonly tenant: string;
  readonly clientId: string;
}

/** What every wire asks for. */
export interface ExchangeRequest extends Narrowing {
  readonly wire: Wire;
  readonly token: string;
  /** A name in a cloud that no role has is refused as any unknown role is: after the token was verified. */
  readonly role: RoleRef | { readonly awsRoleArn: string } | { readonly azure: AzureApplication };
  /** Undefined: as long as the role allows. */
  readonly askedSeconds: number | undefined;
  readonly remoteAddress: string;
  /** Audiences that the wire takes besides those of the issuer's registration, for this request alone. */
  readonly audiences?: readonly string[];
  /** What the caller calls its session; only on wires that have such a name. */
  readonly sessionName?: string;
}
