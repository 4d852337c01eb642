// Ports on loopback for the demo: the usual ones when they are free.
import { createServer } from 'node:net';
import type { Cloud } from './clouds.ts';

/** As the example writes them. */
const USUAL_PORTS = { issuer: 8701, sts: 8702, aws: 8703, gcp: 8704, azure: 8705 } as const;

/** Of the issuer, the STS, and the gateway’s door for each cloud. */
export type DemoPorts = Readonly<Record<keyof typeof USUAL_PORTS, number>>;

/** The usual ones, or any free ones when one of those that are needed is taken. */
export async function demoPorts(clouds: readonly Cloud[] = ['aws']): Promise<DemoPorts> {
  const needed = ['issuer', 'sts', ...clouds] as const;
  const usual = await Promise.all(needed.map((name) => isFree(USUAL_PORTS[name])));
  if (usual.every(Boolean)) return USUAL_PORTS;
  const servers = await Promise.all(needed.map(() => listenAnywhere()));
  await Promise.all(servers.map(({ close }) => close()));
  const found = needed.map((name, index) => [name, servers[index]?.port ?? 0] as const);
  return { ...USUAL_PORTS, ...Object.fromEntries(found) };
}

/** Finds the address of a server of the example’s in a text, with its port. */
const EXAMPLE_ADDRESS = /https?:\/\/127\.0\.0\.1:(870[1-5])\b/g;

/** The text of the example with the demo’s addresses in the place of the example’s. */
export const fillAddresses = (text: string, urls: Readonly<Record<keyof DemoPorts, string>>): string =>
  text.replace(EXAMPLE_ADDRESS, (address, port) => {
    const name = NAMES.find((one) => USUAL_PORTS[one] === Number(port));
    return name === undefined ? address : urls[name];
  });

const NAMES = ['issuer', 'sts', 'aws', 'gcp', 'azure'] as const;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const listenAnywhere = (): Promise<{ port: number; close: () => Promise<void> }> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({ port, close: () => new Promise((closed) => void server.close(() => closed())) });
    });
  });
