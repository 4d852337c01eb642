// What `serve` starts: the configuration with defaults filled in, durations in seconds and references resolved.
import type { Client, IssuerGrant, StsGrant } from '../../base/client-auth/client.ts';
import type { Secret } from '../../base/core/secret.ts';
import type { GatewaySettings } from '../../gateway/settings.ts';
import type { IssuerSettings } from '../../issuer/settings.ts';
import type { StsSettings } from '../../sts/settings.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What every server has of its own: an address, a database, a key-encryption key. */
export interface ServerPlan {
  readonly listen: ListenAddress;
  /** Absolute path of the SQLite file. */
  readonly storagePath: string;
  /** 32 bytes as text. */
  readonly encryptionKey: Secret;
}

export interface IssuerPlan extends ServerPlan {
  readonly settings: IssuerSettings;
  readonly clients: readonly Client<IssuerGrant>[];
}

export interface StsPlan extends ServerPlan {
  readonly settings: StsSettings;
  readonly clients: readonly Client<StsGrant>[];
  /** Absolute path of the operators' Unix socket. */
  readonly adminSocket: string;
}

export interface GatewayPlan extends ServerPlan {
  readonly settings: GatewaySettings;
  readonly checkListen: ListenAddress | null;
}

export interface Plan {
  readonly issuer: IssuerPlan | null;
  readonly sts: StsPlan | null;
  readonly gateways: readonly GatewayPlan[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
