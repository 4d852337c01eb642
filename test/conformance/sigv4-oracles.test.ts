// Two independent signers against our reader and verifier: what they sign is taken, and nothing else is.
// JOBPASS_PROPERTY_RUNS sets how many random requests are tried.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../fakes/property-runs.ts';
import {
  byAws4,
  bySmithy,
  type Draft,
  drafts,
  judge,
  NOW_SECONDS,
  type Oracle,
  splitTarget,
  type Wire,
} from './sigv4-oracles.ts';

const RUNS = propertyRuns();
const MUTATIONS_EACH = 5;

const ORACLES: readonly { readonly name: string; readonly oracle: Oracle; readonly isRepeatable: boolean }[] = [
  { name: 'aws4', oracle: byAws4, isRepeatable: false },
  { name: '@smithy/signature-v4', oracle: bySmithy, isRepeatable: true },
];

interface Mutation {
  /** Counted over the whole message, modulo its length. */
  readonly at: number;
  /** Added to the byte, modulo 256. */
  readonly by: number;
}
const mutations = fc.array(fc.record({ at: fc.nat(100_000), by: fc.integer({ min: 1, max: 255 }) }), {
  minLength: MUTATIONS_EACH,
  maxLength: MUTATIONS_EACH,
});

/** A message in the order of the wire: method, target, then names and values of headers, and last the body. */
const partsOf = ({ request, body }: Wire): readonly string[] => [
  request.method,
  request.query === '' ? request.path : `${request.path}?${request.query}`,
  ...[...request.headers].flatMap(([name, values]) => [name, values[0] ?? '']),
  body,
];

/** As a server reads it: the query begins at the first "?", names of headers have no case. */
function fromParts(wire: Wire, parts: readonly string[]): Wire {
  const [method = '', target = '', ...fields] = parts.slice(0, -1);
  const headers = new Map<string, readonly string[]>();
  for (let index = 0; index < fields.length; index += 2) {
    const name = (fields[index] ?? '').toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), fields[index + 1] ?? '']);
  }
  return { ...wire, request: { method, ...splitTarget(target), headers }, body: parts.at(-1) ?? '' };
}

/** One byte changed; undefined where that changes nothing: the case of a header's name, or a body declared unsigned. */
function mutate(wire: Wire, mutation: Mutation): Wire | undefined {
  const parts = [...partsOf(wire)];
  let at = mutation.at % parts.join('').length;
  const index = parts.findIndex((part) => {
    if (at < part.length) return true;
    at -= part.length;
    return false;
  });
  const part = parts[index] ?? '';
  const changed =
    part.slice(0, at) + String.fromCharCode((part.charCodeAt(at) + mutation.by) % 256) + part.slice(at + 1);
  const isBody = index === parts.length - 1;
  const isName = !isBody && index >= 2 && index % 2 === 0;
  if (isBody ? isUnsignedBody(wire) : isName && changed.toLowerCase() === part) return undefined;
  parts[index] = changed;
  return fromParts(wire, parts);
}

const isUnsignedBody = ({ service, request }: Wire): boolean =>
  service === 's3' && !request.headers.has('authorization');

const LIST: Draft = {
  service: 's3',
  form: 'header',
  method: 'GET',
  segments: ['bucket', 'a b+c'],
  query: new Map([
    ['prefix', ['a+b c']],
    ['uploads', ['']],
  ]),
  headers: {},
  body: '',
};
const STS: Draft = {
  ...LIST,
  service: 'sts',
  method: 'POST',
  segments: [],
  query: new Map(),
  body: 'Action=GetCallerIdentity',
};

/** The same signature over another spelling of the target. */
const respelled = (wire: Wire, from: string, to: string): Wire => ({
  ...wire,
  request: {
    ...wire.request,
    path: wire.request.path.replace(from, to),
    query: wire.request.query.replace(from, to),
  },
});

describe.each(ORACLES)('requests signed by $name', ({ oracle, isRepeatable }) => {
  it('are accepted, whatever their path, query, headers and body', async () => {
    await fc.assert(
      fc.asyncProperty(drafts(isRepeatable), async (draft) => {
        expect(judge(await oracle(draft))).toBe('accepted');
      }),
      { numRuns: RUNS },
    );
  });

  it('are refused after a change of any one byte', async () => {
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(drafts(isRepeatable), mutations, async (draft, changes) => {
        const wire = await oracle(draft);
        expect(judge(wire)).toBe('accepted');
        for (const change of changes) {
          const mutated = mutate(wire, change);
          if (mutated === undefined) continue;
          tried += 1;
          expect(judge(mutated)).not.toBe('accepted');
        }
      }),
      { numRuns: RUNS },
    );
    expect(tried).toBeGreaterThan(RUNS * MUTATIONS_EACH * 0.9);
  });

  it('are refused from the 16th minute on, in either direction', async () => {
    const wire = await oracle(STS);
    expect(judge(wire, NOW_SECONDS - 900)).toBe('accepted');
    expect(judge(wire, NOW_SECONDS + 900)).toBe('accepted');
    expect(judge(wire, NOW_SECONDS - 901)).toBe('clock_skewed');
    expect(judge(wire, NOW_SECONDS + 901)).toBe('clock_skewed');
  });

  it.each([
    ['a raw "+" stands for the plus that was signed as %2B', '%2B', '+', 'accepted'],
    ['a raw "+" does not stand for the space that was signed as %20', '%20', '+', 'signature_mismatch'],
    ['a bare name stands for a name with an empty value', 'uploads=', 'uploads', 'accepted'],
  ])('%s', async (_, from, to, outcome) => {
    const wire = await oracle(LIST);
    const other = respelled(wire, from, to);
    expect(other).not.toEqual(wire);
    expect(judge(other)).toBe(outcome);
  });
});
