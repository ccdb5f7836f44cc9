import type { JsonObject } from './problems.ts';

/** The workflows of a map, and their other names. */
export const WORKFLOWS = {
  stratosphere: 'stratosphere',
  release: 'stratosphere',
  community: 'community',
  development: 'community',
} as const;
type Workflow = (typeof WORKFLOWS)[keyof typeof WORKFLOWS];

/** One place that an artifact goes to. The field names are those of the map; null means missing. */
export interface Destination {
  /** Merged: entry below account below destination. */
  meta: JsonObject | null;
  id: string | null;
  architecture: string | null;
  /** A device group, or `*` for all devices. */
  destination: string;
  overwrite: boolean;
  restrict_version: boolean;
  restrict_major: number | null;
  restrict_minor: number | null;
  provider: string | null;
  tags: Readonly<Record<string, string>> | null;
}

/** The destinations that one account, which is a server, has. */
export interface Account {
  provider: string | null;
  destinations: Destination[];
}

/** Where one application goes, in one workflow and cloud. */
export interface Entry {
  name: string;
  workflow: Workflow;
  cloud: string;
  accounts: Readonly<Record<string, Account>>;
  /** Kept as it is; it has no effect on Mender. */
  billing_code_config: JsonObject;
}

/** A mapping as the server keeps it: the destinations of one account, for some versions. */
export interface Mapping {
  id: string | null;
  marketplace_account: string;
  version_fnmatch: string | null;
  version_regexmatch: string | null;
  provider: string | null;
  meta: JsonObject | null;
  destinations: Destination[];
}

/** A policy as the server keeps it: all mappings of one application. */
export interface Policy {
  id: string | null;
  name: string;
  workflow: Workflow;
  meta: JsonObject | null;
  mappings: Mapping[];
}
