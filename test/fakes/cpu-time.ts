// How long work takes of this thread, for tests that hold a bound: what other processes take of the machine is not counted.

/** CPU milliseconds that `work` took. */
export function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const used = process.threadCpuUsage(before);
  return (used.user + used.system) / 1000;
}
