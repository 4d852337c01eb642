// The body of Put Block List: which blocks make the blob. Read strictly: an element that nobody reads could change what is meant.
import { ok, type Result } from '../../base/core/result.ts';
import { parseXml, type XmlElement } from '../xml/read.ts';
import { readBlockId } from './block-id.ts';
import { type BlobError, refuse } from './errors.ts';

/** 10,000 ids of the largest size, each in its element. */
export const MAX_BLOCK_LIST_BYTES = 2 * 1024 * 1024;
const MAX_BLOCKS = 10_000;

/** The blocks of one upload, their numbers rising. */
export interface BlockList {
  /** What all their ids have in common; null: no block is named. */
  readonly upload: string | null;
  readonly numbers: readonly number[];
}

const MIXED = 'The blocks are of several uploads: all IDs must be the same but for the number at their end.';
const UNORDERED = 'Blocks are named once each, and their numbers rise.';
const COMMITTED = 'Blocks of the committed blob cannot be used again: upload them anew.';

/**
 * The list in `body`. Errors: InvalidXmlDocument, UnsupportedXmlNode (`Committed`, and elements that Azure does not know),
 * InvalidBlockList (blocks of several uploads, twice, or in another order than they are numbered in), those of `readBlockId`.
 */
export function decodeBlockList(body: Uint8Array): Result<BlockList, BlobError> {
  const root = parseXml(body, { maxDepth: 2, maxElements: MAX_BLOCKS + 1 });
  if (root === undefined || root.name !== 'BlockList' || root.text.trim() !== '') return refuse('InvalidXmlDocument');
  const numbers: number[] = [];
  let upload: string | null = null;
  for (const element of root.children) {
    const block = readBlock(element);
    if (!block.ok) return block;
    if (upload !== null && block.value.upload !== upload) return refuse('InvalidBlockList', MIXED);
    if (block.value.number <= (numbers.at(-1) ?? -1)) return refuse('InvalidBlockList', UNORDERED);
    upload = block.value.upload;
    numbers.push(block.value.number);
  }
  return ok({ upload, numbers });
}

function readBlock({ name, children, text }: XmlElement) {
  if (name === 'Committed') return refuse('UnsupportedXmlNode', COMMITTED, [['XmlNodeName', name]]);
  const isBlock = (name === 'Latest' || name === 'Uncommitted') && children.length === 0;
  return isBlock ? readBlockId(text) : refuse('UnsupportedXmlNode', undefined, [['XmlNodeName', name]]);
}
