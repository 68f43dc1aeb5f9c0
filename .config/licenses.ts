// Vite plugin: writes licenses.txt into the build, NOTICE followed by the licence text of every runtime package, workers included
// (build.license of Vite leaves workers out).
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { Plugin } from 'vite';

type LockedPackage = {
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
};

/** Folders of the packages that `from` needs, its dependencies' dependencies included, by the resolution of Node. */
function runtimePackages(locked: Readonly<Record<string, LockedPackage>>): string[] {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const name of Object.keys(locked[from]?.dependencies ?? {})) {
      const nested = `${from}/node_modules/${name}`;
      const folder = nested in locked ? nested : `node_modules/${name}`;
      if (found.has(folder) || !existsSync(folder)) continue;
      found.add(folder);
      visit(folder);
    }
  };
  visit('');
  return [...found].sort();
}

export function licenses(): Plugin {
  return {
    name: 'licenses',
    apply: 'build',
    generateBundle() {
      const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
        readonly packages: Readonly<Record<string, LockedPackage>>;
      };
      const texts = runtimePackages(lock.packages).map((folder) => {
        const { version, license = 'no licence named' } = lock.packages[folder]!;
        const files = readdirSync(folder).filter((name) =>
          /^(licen[cs]e|notice|thirdpartynotices)/i.test(name),
        );
        const head = `${folder.replace(/^.*node_modules\//, '')} ${version} (${license})`;
        return [head, ...files.map((name) => readFileSync(`${folder}/${name}`, 'utf8').trim())].join('\n\n');
      });
      const source = [readFileSync('NOTICE', 'utf8').trim(), ...texts].join(`\n\n${'-'.repeat(80)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: `${source}\n` });
    },
  };
}
