// The JSON Schema of jobpass.yaml for editors, made from the one schema.
import * as z from 'zod';
import { configSchema } from './schema.ts';

/** JSON Schema (draft 2020-12) of the configuration file. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, { unrepresentable: 'any', io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'jobpass.yaml' }, undefined, 2)}\n`;
}
