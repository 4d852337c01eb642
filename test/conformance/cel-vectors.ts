// The CEL conformance vectors as cases with values that belong to no library. Running them is the tests' business.
import { type FieldValue, fieldOf, type Message, messageOf, readTextproto, textOf, valuesOf } from './cel-textproto.ts';
import { listVectors, readVectorText } from './vectors.ts';

/** A CEL value. A double is no int: they are told apart by kind, never by JavaScript type. */
export type CelVectorValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int' | 'uint'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'string' | 'type'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'list'; readonly values: readonly CelVectorValue[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [CelVectorValue, CelVectorValue])[] }
  | { readonly kind: 'timestamp' | 'duration'; readonly seconds: bigint; readonly nanos: number }
  | { readonly kind: 'message'; readonly type: string };

/** One vector. `expected` undefined means that the standard says error. */
export interface CelVector {
  readonly id: string;
  readonly file: string;
  readonly expression: string;
  readonly container: string;
  readonly bindings: ReadonlyMap<string, CelVectorValue>;
  readonly expected: CelVectorValue | undefined;
  /** It builds, binds, wants or names a protobuf message or enum, which claims never are. */
  readonly needsMessages: boolean;
}

/** Every vector of every file. Precondition: called inside `describeVectors`. */
export function readCelVectors(): readonly CelVector[] {
  const files = listVectors('cel-spec').filter((file) => file.endsWith('.textproto'));
  return files.flatMap((file) => {
    const message = readTextproto(readVectorText(`cel-spec/${file}`));
    const name = file.replace('.textproto', '');
    return valuesOf(message, 'section').flatMap((section) => vectorsOf(name, messageOf(section)));
  });
}

const vectorsOf = (file: string, section: Message): readonly CelVector[] =>
  valuesOf(section, 'test').map((test) => vectorOf(`${file}/${textOf(section, 'name')}`, file, messageOf(test)));

function vectorOf(path: string, file: string, test: Message): CelVector {
  const value = fieldOf(test, 'value');
  const isError = fieldOf(test, 'eval_error') !== undefined;
  // As the format's own definition says: a test that wants nothing wants true.
  const wanted: CelVectorValue = value === undefined ? { kind: 'bool', value: true } : celValue(messageOf(value));
  const bindings = new Map(
    valuesOf(test, 'bindings').map((binding) => {
      const bound = fieldOf(messageOf(fieldOf(messageOf(binding), 'value') ?? { fields: [] }), 'value');
      return [textOf(messageOf(binding), 'key'), celValue(messageOf(bound ?? { fields: [] }))] as const;
    }),
  );
  const expected = isError ? undefined : wanted;
  const expression = textOf(test, 'expr');
  const values = [...bindings.values(), ...(expected === undefined ? [] : [expected])];
  return {
    id: `${path}/${textOf(test, 'name')}`,
    file,
    expression,
    container: textOf(test, 'container'),
    bindings,
    expected,
    needsMessages: MESSAGES.test(expression) || values.some((each) => each.kind === 'message'),
  };
}

/** Names of message types and enums. Timestamp and Duration are types of CEL itself. */
const MESSAGES = /TestAllTypes|NestedTestAllTypes|GlobalEnum|google\.protobuf\.(?!Timestamp\b|Duration\b)\w/;

function celValue(message: Message): CelVectorValue {
  const [field] = message.fields;
  if (field === undefined) throw new Error('a CEL vector without a value');
  const read = READERS[field.name];
  if (read === undefined) throw new Error(`a CEL vector with an unknown value: ${field.name}`);
  return read(field.value, message);
}

const wordOf = (value: FieldValue): string => ('word' in value ? value.word : '');
const bytesOf = (value: FieldValue): Uint8Array => ('bytes' in value ? value.bytes : new Uint8Array());
const stringOf = (value: FieldValue): string => new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(value));

const READERS: Readonly<Record<string, (value: FieldValue, message: Message) => CelVectorValue>> = {
  null_value: () => ({ kind: 'null' }),
  bool_value: (value) => ({ kind: 'bool', value: wordOf(value) === 'true' }),
  int64_value: (value) => ({ kind: 'int', value: integerOf(wordOf(value)) }),
  uint64_value: (value) => ({ kind: 'uint', value: integerOf(wordOf(value)) }),
  double_value: (value) => ({ kind: 'double', value: doubleOf(wordOf(value)) }),
  string_value: (value) => ({ kind: 'string', value: stringOf(value) }),
  bytes_value: (value) => ({ kind: 'bytes', value: bytesOf(value) }),
  type_value: (value) => ({ kind: 'type', value: stringOf(value) }),
  list_value: (value) => ({
    kind: 'list',
    values: valuesOf(messageOf(value), 'values').map((each) => celValue(messageOf(each))),
  }),
  map_value: (value) => ({
    kind: 'map',
    entries: valuesOf(messageOf(value), 'entries').map((entry) => [
      celValue(messageOf(fieldOf(messageOf(entry), 'key') ?? { fields: [] })),
      celValue(messageOf(fieldOf(messageOf(entry), 'value') ?? { fields: [] })),
    ]),
  }),
  enum_value: () => ({ kind: 'message', type: 'enum' }),
  object_value: (value) => objectOf(messageOf(value)),
};

const integerOf = (word: string): bigint => (word.startsWith('-') ? -BigInt(word.slice(1)) : BigInt(word));

function doubleOf(word: string): number {
  const magnitude = word.replace(/^-/, '').toLowerCase();
  const value = /^inf/.test(magnitude)
    ? Number.POSITIVE_INFINITY
    : magnitude === 'nan'
      ? Number.NaN
      : Number(magnitude);
  return word.startsWith('-') ? -value : value;
}

function objectOf(any: Message): CelVectorValue {
  const [field] = any.fields;
  const type = (field?.name ?? '').replace('type.googleapis.com/', '');
  if (field === undefined || !/^google\.protobuf\.(Timestamp|Duration)$/.test(type)) return { kind: 'message', type };
  const message = messageOf(field.value);
  const seconds = BigInt(textOf(message, 'seconds') || '0');
  const nanos = Number(textOf(message, 'nanos') || '0');
  return { kind: type.endsWith('Timestamp') ? 'timestamp' : 'duration', seconds, nanos };
}

/** One text for one value, whatever the order of a map's entries: what results are compared by. */
export function showCelValue(value: CelVectorValue): string {
  switch (value.kind) {
    case 'null':
      return 'null';
    case 'bool':
      return String(value.value);
    case 'int':
      return `${value.value}`;
    case 'uint':
      return `${value.value}u`;
    case 'double':
      return `double(${Object.is(value.value, -0) ? '-0' : value.value})`;
    case 'string':
      return JSON.stringify(value.value);
    case 'type':
      return `type(${value.value})`;
    case 'bytes':
      return `b"${Buffer.from(value.value).toString('hex')}"`;
    case 'list':
      return `[${value.values.map(showCelValue).join(', ')}]`;
    case 'map':
      return `{${value.entries
        .map(([key, each]) => `${showCelValue(key)}: ${showCelValue(each)}`)
        .sort()
        .join(', ')}}`;
    case 'message':
      return value.type;
    default:
      return `${value.kind}(${value.seconds}s ${value.nanos}ns)`;
  }
}
