// Where a server's database is, as the configuration says it and an adapter takes it. It opens nothing.
import type { Secret } from '../base/core/secret.ts';

/** Whether and how the connection to a database is encrypted, and what is checked of its server. */
export interface PostgresTls {
  /** `none`: whoever answers is believed; `ca`: signed by the authority; `full`: and its certificate names the host. */
  readonly verify: 'none' | 'ca' | 'full';
  /** PEM; null: the authorities that the runtime brings. */
  readonly ca: string | null;
}

/** A PostgreSQL database. */
export interface PostgresLocation {
  /** A name, an address, or the absolute path of a Unix socket's folder. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Null: the server asks for none. */
  readonly password: Secret | null;
  readonly database: string;
  /** Null: not encrypted. */
  readonly tls: PostgresTls | null;
}
