// Durations as people write them: a whole number and a unit.

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const AMOUNT = /^[1-9][0-9]{0,5}$/;

/** Seconds of `45s`, `30m`, `2h` or `7d`; undefined for anything else, zero included. */
export function parseDuration(text: string): number | undefined {
  const unit = UNIT_SECONDS[text.slice(-1)];
  const amount = text.slice(0, -1);
  return unit !== undefined && AMOUNT.test(amount) ? Number(amount) * unit : undefined;
}

/** Seconds for people: `9 min 58 s`, `2 h`, `45 s`. */
export function formatDuration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [Math.floor(seconds % 60), 's'],
  ] as const;
  const shown = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`);
  return shown.length === 0 ? '0 s' : shown.slice(0, 2).join(' ');
}
