import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** A file system of its own for devices, so that what an installation writes can be measured. */
export interface Disk {
  /** A folder to use as DEVICE_HOME. */
  home: string;
  /** Bytes in use. */
  used(): number;
  /** Bytes written to it since it was made. */
  written(): number;
  remove(): void;
}

const SECTOR = 512;

/**
 * Makes an ext4 file system of `megabytes`, with the root file system of the devices in it. Needs
 * root.
 */
export function makeDisk(rootfs: string, megabytes: number): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-disk-'));
  const [image, home] = [join(folder, 'image'), join(folder, 'home')];
  mkdirSync(home);
  execFileSync('truncate', ['-s', `${megabytes}M`, image]);
  execFileSync('mkfs.ext4', ['-q', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  const loop = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
  execFileSync('mount', [loop, home]);
  mkdirSync(join(home, 'rootfs'));
  execFileSync('mount', ['--bind', rootfs, join(home, 'rootfs')]);
  return {
    home,
    used: () => {
      const { blocks, bfree, bsize } = statfsSync(home);
      return (blocks - bfree) * bsize;
    },
    written: () => {
      execFileSync('sync', ['-f', home]);
      const words = readFileSync(`/sys/block/${basename(loop)}/stat`, 'utf8')
        .trim()
        .split(/ +/);
      return Number(words[6]) * SECTOR;
    },
    remove: () => {
      execFileSync('umount', [join(home, 'rootfs')]);
      execFileSync('umount', [home]);
      execFileSync('losetup', ['--detach', loop]);
      rmSync(folder, { recursive: true });
    },
  };
}
