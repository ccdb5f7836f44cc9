import type { Distribution, Package, PackageType } from './package.ts';

/** A file of an image that names packages, or its distribution. */
export interface Database {
  matches: RegExp;
  /** Larger files are not read. Bytes. */
  largest: number;
  /** Returns what the file names. Texts of another form name nothing. */
  read(text: string): { packages?: Package[]; distribution?: Distribution };
}

const MB = 1 << 20;
const LONGEST_FIELD = 256;

/** All files that are read. The first one that matches a path counts. */
const DATABASES: readonly Database[] = [
  {
    // The second form is that of images without a package manager, as distroless makes them.
    matches: /^var\/lib\/dpkg\/(status|status\.d\/[^/]+(?<!\.md5sums))$/,
    largest: 32 * MB,
    read: (text) => ({ packages: stanzas(text).filter(isInstalled).flatMap(packageOf('deb')) }),
  },
  {
    matches: /^(usr\/)?lib\/apk\/db\/installed$/,
    largest: 32 * MB,
    read: (text) => ({ packages: stanzas(text).flatMap(packageOf('apk')) }),
  },
  {
    matches: /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/,
    largest: MB,
    read: (text) => ({ packages: npmPackages(text) }),
  },
  {
    matches: /\.(dist-info\/METADATA|egg-info\/PKG-INFO)$/,
    largest: MB,
    read: (text) => ({ packages: stanzas(text).slice(0, 1).flatMap(packageOf('pypi')) }),
  },
  {
    matches: /^(etc|usr\/lib)\/os-release$/,
    largest: MB,
    read: (text) => {
      const distribution = distributionOf(text);
      return distribution === undefined ? {} : { distribution };
    },
  },
];

/** The database with that path, if there is one. Pure. */
export function databaseAt(path: string): Database | undefined {
  return DATABASES.find(({ matches }) => matches.test(path));
}

type Fields = ReadonlyMap<string, string>;

/** The fields that are used; an image may have any others. */
const USED = new Set(['Package', 'Status', 'Architecture', 'Version', 'Name', 'P', 'V', 'A']);

/** Fields of `Name: value` lines, in groups that an empty line ends. The first value counts. */
function stanzas(text: string): Fields[] {
  let fields = new Map<string, string>();
  const all = [fields];
  for (const line of text.split('\n')) {
    if (line.trim() === '' && fields.size > 0) {
      fields = new Map();
      all.push(fields);
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (USED.has(name) && !fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return all;
}

/** Packages without a status are all installed. */
function isInstalled(fields: Fields): boolean {
  return fields.get('Status')?.endsWith(' installed') ?? true;
}

const FIELDS: Record<
  Exclude<PackageType, 'npm'>,
  { name: string; version: string; architecture?: string }
> = {
  deb: { name: 'Package', version: 'Version', architecture: 'Architecture' },
  apk: { name: 'P', version: 'V', architecture: 'A' },
  pypi: { name: 'Name', version: 'Version' },
};

function packageOf(type: Exclude<PackageType, 'npm'>): (fields: Fields) => Package[] {
  const keys = FIELDS[type];
  return (fields) => {
    const [name, version] = [plain(fields.get(keys.name)), plain(fields.get(keys.version))];
    const architecture = keys.architecture === undefined ? undefined : plain(fields.get(keys.architecture));
    if (name === undefined || version === undefined) return [];
    return [{ type, name, version, ...(architecture === undefined ? {} : { architecture }) }];
  };
}

function npmPackages(text: string): Package[] {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return [];
  }
  const { name, version } = (manifest ?? {}) as { name?: unknown; version?: unknown };
  const [known, its] = [plain(name), plain(version)];
  return known === undefined || its === undefined ? [] : [{ type: 'npm', name: known, version: its }];
}

/** https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
function distributionOf(text: string): Distribution | undefined {
  const value = (key: string): string | undefined =>
    plain(new RegExp(`^${key}=["']?([^"'\n]*)`, 'm').exec(text)?.[1]);
  const [id, version] = [value('ID'), value('VERSION_ID')];
  return id === undefined ? undefined : { id, ...(version === undefined ? {} : { version }) };
}

/** A value that can be a name or a version: an image may say anything. */
function plain(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_FIELD) return undefined;
  return /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}
