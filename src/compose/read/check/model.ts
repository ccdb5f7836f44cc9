import type { Document } from 'yaml';
import { UnsupportedError, UsageError } from '../../../errors.ts';
import { withoutRepeats } from '../merge/merge.ts';
import { withNames } from '../namingVariables.ts';
import { CastError, castModel } from '../schema/cast.ts';
import type { Fault } from '../schema/validate.ts';
import { findSchemaFault } from '../schema/validate.ts';
import type { Mapping } from '../yaml/value.ts';
import { asMapping } from '../yaml/value.ts';
import type { YamlFile } from '../yaml/yamlFile.ts';
import { sectionFaults } from './sections.ts';
import { serviceFormFaults } from './serviceForms.ts';

/** Where a model comes from, for messages: its files and, if it is a single document, that one. */
export interface Origin {
  paths: readonly string[];
  only?: { file: YamlFile; document: Document };
  /** The names of variables that were filled in, by their values. */
  values?: ReadonlyMap<string, string>;
}

/**
 * Checks a model with variables filled in as Compose does, before profiles are applied: against the
 * schema, and the entries that have a syntax of their own. Returns the model with its numbers and
 * booleans converted. Throws UsageError, with line and column for a single document.
 */
export function checkModel(model: Mapping, origin: Origin): Mapping {
  const checked = castOrThrow(model, origin);
  refuseNewer(checked, origin);
  throwFirst([findSchemaFault(withoutRepeats(checked))], origin);
  const services = Object.entries(asMapping(checked['services']));
  throwFirst(
    services.flatMap(([name, service]) => serviceFormFaults(name, asMapping(service))),
    origin,
  );
  throwFirst(sectionFaults(checked), origin);
  return checked;
}

/** Throws UsageError for the first fault, if there is one. */
export function throwFirst(faults: readonly (Fault | undefined)[], origin: Origin): void {
  const fault = faults.find((one) => one !== undefined);
  if (fault !== undefined) throw faultError(fault, origin);
}

function castOrThrow(model: Mapping, origin: Origin): Mapping {
  try {
    return castModel(model);
  } catch (error) {
    if (error instanceof CastError) throw faultError(error.fault, origin);
    throw error;
  }
}

/** The specification already has `pre_start`, and no Compose that this tool was tried with. */
function refuseNewer(model: Mapping, origin: Origin): void {
  for (const [name, service] of Object.entries(asMapping(model['services']))) {
    if (asMapping(service)['pre_start'] === undefined) continue;
    throw new UnsupportedError(
      `${placeOf(['services', name, 'pre_start'], origin)}: services.${name}.pre_start is not supported`,
      { hint: 'use a service of its own, and depends_on with service_completed_successfully' },
    );
  }
}

function faultError(
  { path, message, hint = 'docker compose config refuses it as well' }: Fault,
  origin: Origin,
): UsageError {
  const what = path.length === 0 ? 'the Compose file' : path.join('.');
  return new UsageError(
    `${placeOf(path, origin)}: ${what} ${withNames(message, origin.values ?? new Map())}`,
    { hint },
  );
}

function placeOf(path: readonly string[], { paths, only }: Origin): string {
  if (only === undefined) return paths.join(', ');
  for (let length = path.length; length > 0; length -= 1) {
    const node = only.document.getIn(path.slice(0, length), true);
    if (node !== undefined) return only.file.where(node);
  }
  return only.file.path;
}
