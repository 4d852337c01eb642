// Collects problems with their places, so that all of them are shown at once.

import { Secret } from '../../base/core/secret.ts';
import type { Problem } from '../../base/document/problem.ts';
import { resolveSecret, type SecretPlaces } from './secret-reference.ts';

export type DocumentPath = readonly (string | number)[];

/** A file whose values' places are known. */
export interface PlacedDocument {
  readonly file: string;
  readonly positionOf: (path: DocumentPath) => { readonly line: number; readonly column: number };
}

/** Problems of one document, gathered while it is turned into a plan. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  readonly #document: PlacedDocument;

  constructor(document: PlacedDocument) {
    this.#document = document;
  }

  get list(): readonly Problem[] {
    return this.#problems;
  }

  /** Notes a problem at `path` of the document, or at its nearest parent that is written down. */
  add(path: DocumentPath, message: string, hint?: string): void {
    this.#problems.push({
      file: this.#document.file,
      ...this.#document.positionOf(path),
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** The secret behind a reference; when it cannot be had, a problem is noted and an empty secret stands in its place. */
  secret(path: DocumentPath, reference: string, places: SecretPlaces): Secret {
    const secret = resolveSecret(reference, places);
    if (secret.ok) return secret.value;
    this.add(path, secret.error.message, secret.error.hint);
    return new Secret('');
  }
}

const formatPath = (path: DocumentPath): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
