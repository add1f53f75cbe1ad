/** The description of a call in the OpenAPI document. */
import type { z } from 'zod';
import type { ErrorCode } from '../src/errors.ts';
import { LIMITS } from '../src/limits.ts';
import { type JsonObject, jsonSchemaOf } from './json-schema.ts';

export type Parameter = {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonObject;
  description?: string;
};

export interface Call {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  path: string;
  summary: string;
  description?: string;
  /** JSON Schema of the body. */
  body?: JsonObject;
  isBodyOptional?: true;
  parameters?: Parameter[];
  /** The success statuses, each with its meaning. */
  success: Record<number, string>;
  errors: ErrorCode[];
  /** The answer is JSON lines. The schema describes one line. */
  isLines?: true;
  isPublic?: true;
}

export const propertiesOf = (schema: z.ZodType, io: 'input' | 'output' = 'output') =>
  jsonSchemaOf(schema, io).properties as Record<string, JsonObject>;

/** A member of the query. Numbers arrive as text. A schema without a default has that of pages. */
export const queryParameter = (name: string, schema: JsonObject): Parameter => ({
  name,
  in: 'query',
  required: false,
  schema: name === 'limit' ? { ...schema, default: schema.default ?? LIMITS.pageEntriesDefault } : schema,
});

/** Query parameters, from the schema that validates them. */
export const queryOf = (schema: z.ZodType): Parameter[] =>
  Object.entries(propertiesOf(schema)).map(([name, property]) => queryParameter(name, property));
