// What one check of the doctor found. Finding is the checks' business, showing it show-report.ts's.

/**
 * One line of the report: `ok` holds; `wrong` disagrees and will be refused; `unavailable` could not be checked because somebody
 * did not answer; `unseen` cannot be known from here, whoever answers. Texts may hold what others wrote: they are made printable
 * where they are shown.
 */
export type Finding =
  | { readonly check: string; readonly outcome: 'ok'; readonly detail: string }
  /** `look`: where it can be seen, when there is such a place. */
  | { readonly check: string; readonly outcome: 'unseen'; readonly detail: string; readonly look?: string }
  | {
      readonly check: string;
      readonly outcome: 'wrong' | 'unavailable';
      readonly detail: string;
      /** What to do about it. */
      readonly fix: string;
    };

export const holds = (check: string, detail: string): Finding => ({ check, outcome: 'ok', detail });
export const unseen = (check: string, detail: string, look?: string): Finding => ({
  check,
  outcome: 'unseen',
  detail,
  ...(look === undefined ? {} : { look }),
});
export const wrong = (check: string, detail: string, fix: string): Finding => ({
  check,
  outcome: 'wrong',
  detail,
  fix,
});
export const unavailable = (check: string, detail: string, fix: string): Finding => ({
  check,
  outcome: 'unavailable',
  detail,
  fix,
});
