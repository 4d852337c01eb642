// Issuers, STSs and gateways as processes, replicas of one kind behind one URL, and every link between them a test's to break.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemRandom } from '../../../src/app/adapters.ts';
import {
  makeEncryptionKey,
  makeSecret,
  writeCredentialFile,
  writePrivateFile,
  writePublicFile,
} from '../../../src/app/setup/private-files.ts';
import { freePort } from '../../fakes/free-port.ts';
import { ServerProcess } from '../../fakes/server-process.ts';
import { type FleetSecrets, gatewayText, issuerText, POLICIES, stsText } from './fleet-texts.ts';
import { Link, type LinkOptions } from './link.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/app/cli/main.ts');

export interface FleetOptions {
  /** Replicas. More than one needs a shared database. */
  readonly issuers?: number;
  readonly stss?: number;
  readonly gateways?: number;
  /** A PostgreSQL database that all issuers and STSs share over one link. Absent: SQLite, in the folder of each. */
  readonly database?: Pick<LinkOptions, 'watchAnswers'> & { readonly port: number; readonly name: string };
  /** Looks after the folder before anything is in it; what comes back is called before the folder goes. */
  readonly prepare?: (folder: string) => () => void;
  /** Put before the command of every STS, such as `env NAME=VALUE`. */
  readonly stsPrefix?: readonly string[];
}

export interface Fleet {
  readonly folder: string;
  /** The STS's own URL: what tokens are made for. */
  readonly audience: string;
  /** Where CI and callers reach the servers, past every link that a test cuts. */
  readonly doors: { readonly issuer: string; readonly sts: string };
  /** Of each replica itself, past every link. */
  readonly stsUrls: readonly string[];
  readonly gatewayUrls: readonly string[];
  readonly controllerFile: string;
  /** Of the first replica of each. */
  readonly operatorFiles: { readonly issuer: string; readonly sts: string };
  readonly issuers: readonly ServerProcess[];
  readonly stss: readonly ServerProcess[];
  readonly gateways: readonly ServerProcess[];
  readonly links: {
    /** From the STSs to the issuers. */
    readonly issuer: Link;
    /** From the gateways to the STSs. */
    readonly sts: Link;
    /** From issuers and STSs to their shared database; undefined on SQLite. */
    readonly database: Link | undefined;
  };
  /** Starts everything that does not run, in the order in which nobody waits. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Writes the configurations and opens the links. Nothing runs before `start`. */
export async function makeFleet(options: FleetOptions = {}): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-fleet-'));
  const leave = options.prepare?.(folder);
  const links: Link[] = [];
  const shared = async (to: readonly number[], more: Pick<LinkOptions, 'watchAnswers'> = {}) => {
    const port = await freePort();
    const link = await Link.open({ ...more, port, to });
    links.push(link);
    return { link, port, url: `http://127.0.0.1:${port}` };
  };
  const issuerPorts = await ports(options.issuers ?? 1);
  const stsPorts = await ports(options.stss ?? 1);
  const gatewayPorts = await ports(options.gateways ?? 1);
  const [issuerLink, stsLink] = [await shared(issuerPorts), await shared(stsPorts)];
  const [issuerDoor, stsDoor] = [await shared(issuerPorts), await shared(stsPorts)];
  const { database } = options;
  const databaseLink = database === undefined ? undefined : await shared([database.port], database);
  const storage =
    databaseLink === undefined
      ? undefined
      : `postgres://postgres@127.0.0.1:${databaseLink.port}/${database?.name}?sslmode=disable`;
  const resource = createServer((_request, response) => response.end('content'));
  const resourcePort = await freePort();
  await new Promise<void>((listening) => resource.listen(resourcePort, '127.0.0.1', listening));
  const urls = { issuer: issuerLink.url, sts: stsLink.url, resource: `http://127.0.0.1:${resourcePort}` };
  const files = writeFiles(folder, { ...urls, storage, issuerPorts, stsPorts, gatewayPorts });
  const serve = (name: string, prefix: readonly string[] = []): ServerProcess => {
    const [program = '', ...args] = [...prefix, process.execPath, MAIN, 'serve', '--config'];
    return new ServerProcess([program, ...args, join(folder, name, 'jobpass.yaml')], { folder, env: process.env });
  };
  const of = (kind: string, from: readonly number[], prefix?: readonly string[]): ServerProcess[] =>
    from.map((_, at) => serve(`${kind}-${at + 1}`, prefix));
  const [issuers, gateways] = [of('issuer', issuerPorts), of('gateway', gatewayPorts)];
  const stss = of('sts', stsPorts, options.stsPrefix);
  return {
    folder,
    audience: urls.sts,
    doors: { issuer: issuerDoor.url, sts: stsDoor.url },
    stsUrls: stsPorts.map((port) => `http://127.0.0.1:${port}`),
    gatewayUrls: gatewayPorts.map((port) => `http://127.0.0.1:${port}`),
    ...files,
    ...{ issuers, stss, gateways },
    links: { issuer: issuerLink.link, sts: stsLink.link, database: databaseLink?.link },
    start: async () => {
      for (const kind of [issuers, stss, gateways])
        await Promise.all(kind.map((server) => (server.isRunning ? undefined : server.start())));
    },
    close: async () => {
      await Promise.all([...gateways, ...stss, ...issuers].map((server) => server.end()));
      await Promise.all(links.map((link) => link.close()));
      resource.closeAllConnections();
      resource.close();
      leave?.();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const ports = (many: number): Promise<readonly number[]> => Promise.all(Array.from({ length: many }, () => freePort()));

interface Places {
  readonly issuer: string;
  readonly sts: string;
  readonly resource: string;
  /** The URL of the shared database. */
  readonly storage: string | undefined;
  readonly issuerPorts: readonly number[];
  readonly stsPorts: readonly number[];
  readonly gatewayPorts: readonly number[];
}

function writeFiles(folder: string, places: Places): Pick<Fleet, 'controllerFile' | 'operatorFiles'> {
  const secret = () => makeSecret(systemRandom);
  const secrets: FleetSecrets = { controller: secret(), sts: secret(), gateway: secret(), operator: secret() };
  // Replicas open one database with one key.
  const keks = { issuer: join(folder, 'issuer.kek'), sts: join(folder, 'sts.kek') };
  for (const kek of Object.values(keks)) makeEncryptionKey(kek, systemRandom);
  const shared = { ...places, secrets, keks };
  const write = (server: string, text: string): void => writePublicFile(join(folder, server, 'jobpass.yaml'), text);
  for (const [at, port] of places.issuerPorts.entries()) write(`issuer-${at + 1}`, issuerText(port, shared));
  const gateways = places.gatewayPorts.map((port, at) => {
    const name = `gateway-${at + 1}`;
    write(name, gatewayText(name, port, shared));
    makeEncryptionKey(join(folder, name, `.jobpass/gateway-${name}.kek`), systemRandom);
    writePrivateFile(join(folder, name, '.jobpass/gateway.secret'), secrets.gateway.reveal());
    const command = ['keys', 'export', '--public', name, '--config', join(folder, name, 'jobpass.yaml')];
    const publicKey = execFileSync(process.execPath, [MAIN, ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    writeFileSync(join(folder, `${name}.public.json`), publicKey);
    return name;
  });
  for (const [at, port] of places.stsPorts.entries()) {
    write(`sts-${at + 1}`, stsText(port, { ...shared, folder, gateways }));
    writePrivateFile(join(folder, `sts-${at + 1}`, '.jobpass/sts.secret'), secrets.sts.reveal());
    for (const [role, text] of Object.entries(POLICIES))
      writePublicFile(
        join(folder, `sts-${at + 1}`, `policies/main/${role}.yaml`),
        text.replaceAll('ISSUER', places.issuer),
      );
  }
  const controllerFile = join(folder, 'controller.json');
  writeCredentialFile(controllerFile, { url: places.issuer, client: 'ci', secret: secrets.controller.reveal() });
  const operator = (server: 'issuer' | 'sts'): string => {
    const file = join(folder, `${server}-operator.json`);
    const socket = join(folder, `${server}-1/run/${server}.sock`);
    writeCredentialFile(file, { socket, client: 'operator', secret: secrets.operator.reveal() });
    return file;
  };
  return { controllerFile, operatorFiles: { issuer: operator('issuer'), sts: operator('sts') } };
}
