// The shape of JSON values and of claims. Parsing is base/json's business.

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Claims of a token: the parsed payload, nothing about it verified by this type alone. */
export type Claims = JsonObject;

/** True for a JSON object, false for arrays, null and scalars. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The own property `name` of `object`, else undefined; never reads the prototype chain. */
export const ownMember = <T>(object: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

/** As `ownMember`, when it is a string. */
export function stringMember(object: JsonObject, name: string): string | undefined {
  const value = ownMember(object, name);
  return typeof value === 'string' ? value : undefined;
}
