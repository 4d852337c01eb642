// What `serve` starts: the configuration with defaults filled in, durations in seconds and references resolved.
import type { TrustedProxies } from '../../base/address/caller-address.ts';
import type { Client, IssuerGrant, StsGrant } from '../../base/client-auth/client.ts';
import type { Result } from '../../base/core/result.ts';
import type { Secret } from '../../base/core/secret.ts';
import type { Rates } from '../../base/limit/rate-limits.ts';
import type { Door, GatewaySettings } from '../../gateway/settings.ts';
import type { IssuerSettings } from '../../issuer/settings.ts';
import type { StsSettings } from '../../sts/settings.ts';
import type { DatabasePlan } from './plan-storage.ts';

export type { DatabasePlan };

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What a listener proves its name with. Checked: certificate and key belong together. */
export interface TlsIdentity {
  /** PEM, the chain. */
  readonly certificate: string;
  /** PEM. */
  readonly key: Secret;
  /** Both again, from where they were read; the error is for the operator. Absent: they were made, not read. */
  readonly reread?: () => Result<TlsIdentity, string>;
}

/** What every server keeps for itself: a database and a key-encryption key. */
export interface StoragePlan {
  readonly database: DatabasePlan;
  /** 32 bytes as text. */
  readonly encryptionKey: Secret;
  /** What some keys may still be sealed with; null: nothing. */
  readonly encryptionKeyBefore: Secret | null;
}

/** When the keys of a server change by themselves. */
export interface KeyRotationPlan {
  /** Null: by command alone. */
  readonly rotateEverySeconds: number | null;
  readonly publishSeconds: number;
}

/** What becomes of the audit records of a server. */
export interface AuditPlan {
  /** Absolute path of the file that checkpoints are appended to; null: none. */
  readonly anchorPath: string | null;
  /** Null: records are kept for good. */
  readonly keepSeconds: number | null;
}

/** A server with one address. */
export interface ServerPlan extends StoragePlan {
  /** Absolute path of what the server remembers of its database outside of it. Issuer and STS have one. */
  readonly witnessPath: string;
  readonly audit: AuditPlan;
  readonly keyRotation: KeyRotationPlan;
  readonly listen: ListenAddress;
  /** Null: plain http. */
  readonly tls: TlsIdentity | null;
}

/** Where an issuer's public documents go as files. */
export interface KeyExportPlan {
  /** Absolute. */
  readonly folder: string;
  /** What brings them to their web host, run after each export: a program and its arguments. Null: nothing. */
  readonly hook: {
    readonly command: readonly [string, ...string[]];
    readonly env: Readonly<Record<string, string>>;
  } | null;
}

export interface IssuerPlan extends ServerPlan {
  /** Null: nowhere. */
  readonly keyExport: KeyExportPlan | null;
  readonly settings: IssuerSettings;
  readonly clients: readonly Client<IssuerGrant>[];
  /** Absolute path of the operators' Unix socket. */
  readonly adminSocket: string;
}

export interface StsPlan extends ServerPlan {
  readonly settings: StsSettings;
  readonly clients: readonly Client<StsGrant>[];
  /** A second listener with the same routes, for clients that take nothing but https: of `serve --dev` alone. */
  readonly alsoHttps: { readonly listen: ListenAddress; readonly tls: TlsIdentity } | null;
  /** Absolute path of the operators' Unix socket. */
  readonly adminSocket: string;
}

export interface GatewayPlan extends StoragePlan {
  readonly settings: GatewaySettings;
  /** Of the guard or of S3. At least one of all these addresses is there. */
  readonly guardListen: ListenAddress | null;
  readonly checkListen: ListenAddress | null;
  /** Of each door that the settings have. */
  readonly doorListens: readonly { readonly door: Door; readonly listen: ListenAddress }[];
  /** Of guard, S3 and doors; the check listener's caller is a proxy on the same machine. Null: plain http. */
  readonly tls: TlsIdentity | null;
}

/** Whom every server of the plan believes about addresses, and how much anybody may ask of it. */
export interface LimitsPlan {
  readonly trustedProxies: TrustedProxies;
  readonly connectionsPerSource: number;
  /** How long a server that was told to stop goes on answering. */
  readonly drainSeconds: number;
  /** Of issuer and STS. */
  readonly rates: Rates;
  readonly gatewayRates: Rates;
}

/** How the program shows what it does. */
interface ObservabilityPlan {
  /** Of health and metrics alone; null: there is no such listener. */
  readonly listen: ListenAddress | null;
  /** Who may read metrics besides this machine. */
  readonly metricsFrom: TrustedProxies;
}

export interface Plan {
  readonly issuer: IssuerPlan | null;
  readonly sts: StsPlan | null;
  readonly gateways: readonly GatewayPlan[];
  readonly limits: LimitsPlan;
  readonly observability: ObservabilityPlan;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
