// A trust entry whose text stands in a file of its own: its traces say which, so that lines are looked up in the right one.
import type { Trust } from './trust.ts';

/** The same entry, answering the same; `line` is where the role names the file. */
export const inFile = (trust: Trust, place: { readonly file: string; readonly line: number }): Trust => ({
  dialect: trust.dialect,
  line: place.line,
  issuers: trust.issuers,
  judge(token, reach) {
    const verdict = trust.judge(token, reach);
    return { ...verdict, rules: verdict.rules.map((rule) => ({ ...rule, file: place.file })) };
  },
  satisfiable: (issuer) => trust.satisfiable(issuer),
});
