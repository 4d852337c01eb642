// Three ports on loopback for the demo: the usual ones when they are free.
import { createServer } from 'node:net';

/** As the example writes them. */
export const USUAL_PORTS = [8701, 8702, 8703] as const;

export type DemoPorts = readonly [issuer: number, sts: number, gateway: number];

/** The usual three, or any free ones when one of them is taken. */
export async function demoPorts(): Promise<DemoPorts> {
  const usual = await Promise.all(USUAL_PORTS.map(isFree));
  if (usual.every(Boolean)) return USUAL_PORTS;
  const servers = await Promise.all(USUAL_PORTS.map(() => listenAnywhere()));
  const [issuer = 0, sts = 0, gateway = 0] = servers.map(({ port }) => port);
  await Promise.all(servers.map(({ close }) => close()));
  return [issuer, sts, gateway];
}

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
