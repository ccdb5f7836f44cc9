import type { InferOutput } from 'valibot';
import { ENTITY } from './answers.ts';
import type { Library } from './client.ts';
import { call } from './client.ts';

export type Entity = InferOutput<typeof ENTITY>;

/**
 * Returns what the library knows of an entity, with the bytes that it stores and may store. Throws
 * NotFoundError.
 */
export async function getEntity(library: Library, name: string): Promise<Entity> {
  const doing = `looking up ${name}`;
  return call(library, { method: 'GET', path: `v1/entities/${name}`, doing }, ENTITY);
}
