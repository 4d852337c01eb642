// Ports of the loopback for servers that must know theirs before they listen. No two test processes of this machine have the same.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below those that the kernel gives to whoever connects, or asks for any. */
const FIRST = 20_000;
const LAST = 31_999;
/** Processes begin far from each other, so that they seldom ask for the same. */
const STRIDE = 97;

let next = FIRST + ((process.pid * STRIDE) % (LAST - FIRST));

/** A port that nobody listens on, and that no other call gives away while this process lives. */
export const freePort = (): Promise<number> => freePorts(1);

/** The first of `many` such ports in a row. */
export async function freePorts(many: number): Promise<number> {
  for (let tries = 0; tries < LAST - FIRST; tries += 1) {
    if (next + many - 1 > LAST) next = FIRST;
    const first = next;
    next += many;
    const row = await Promise.all(Array.from({ length: many }, (_, at) => claim(first + at)));
    if (row.every(Boolean)) return first;
  }
  throw new Error(`there are no ${many} free ports in a row`);
}

/** The UDP port of the same number, which nobody here uses, is held until this process ends: that tells the others. */
const claim = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const mark = createSocket('udp4');
    mark.once('error', () => mark.close(() => resolve(false)));
    mark.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      mark.unref();
      isFree(port).then(resolve);
    });
  });

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
