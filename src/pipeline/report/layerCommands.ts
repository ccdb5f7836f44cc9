import { record } from '../../mender/read/json.ts';

/**
 * Returns the instruction that made each layer, lowest first, from the history in an image's
 * config. Undefined for a layer that the history does not tell of, and everywhere if the config is
 * unreadable. Pure.
 * https://github.com/opencontainers/image-spec/blob/main/config.md#properties
 */
export function layerCommands(config: Uint8Array | undefined): (string | undefined)[] {
  const { history } = record(parsed(config));
  if (!Array.isArray(history)) return [];
  return (history as unknown[])
    .map(record)
    .filter((entry) => entry['empty_layer'] !== true)
    .map((entry) => commandOf(entry['created_by']));
}

function commandOf(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  return text
    .replace(/^\/bin\/sh -c (#\(nop\) *)?/, (_, nop) => (nop === undefined ? 'RUN ' : ''))
    .replace(/^RUN \/bin\/sh -c /, 'RUN ')
    .replace(/\s+# buildkit$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function parsed(config: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(config ?? '').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
