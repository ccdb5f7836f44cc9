import type { AuthoredFile } from './composeFile.ts';
import type { Filled, SecretValue } from '../read/scope.ts';
import type { Mapping } from '../read/yaml/value.ts';
import type { Variables } from '../read/variables/variables.ts';

/** What was read of a Compose project, from which the shipped files are made. */
export interface ShipmentParts {
  /** The project folder, absolute. */
  folder: string;
  /** The Compose files, absolute. */
  composeFiles: readonly string[];
  /** The merged model as written, and with all variables filled in. */
  deferred: Mapping;
  resolved: Mapping;
  /** The names of the services that run. */
  active: readonly string[];
  variables: Variables;
  filled: readonly Filled[];
  /** The names of variables that were filled in, by their values. */
  values: ReadonlyMap<string, string>;
  /** Files of secrets and keys of `build.ssh`, absolute. */
  secretFiles: ReadonlySet<string>;
  /** Names of variables whose values are meant to ship. */
  meantToShip: ReadonlySet<string>;
  secretValues: ReadonlyMap<string, SecretValue>;
  authored?: AuthoredFile;
}
