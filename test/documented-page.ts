// The fenced blocks of a page of docs/, so that tests run what stands there.
import { readFileSync } from 'node:fs';

export interface Page {
  /** The one block of `language` that holds `text`. Throws when there is none or another one. */
  block(language: string, text: string): string;
}

/** Reads a page by its path below docs/. */
export function readPage(path: string): Page {
  const content = readFileSync(new URL(`../docs/${path}`, import.meta.url), 'utf8');
  const blocks = [...content.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => ({
    language,
    body,
  }));
  return {
    block(language, text) {
      const [found, ...others] = blocks.filter((one) => one.language === language && one.body.includes(text));
      if (found !== undefined && others.length === 0) return found.body;
      throw new Error(`${path} must have one ${language} block with ${text}`);
    },
  };
}

/** The text with each name of the page replaced by what stands for it in a test. */
export const withNames = (text: string, names: Readonly<Record<string, string>>): string =>
  Object.entries(names).reduce((all, [name, here]) => all.replaceAll(name, here), text);
