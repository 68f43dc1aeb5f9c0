// The rules of the folders: who may import whom, which folder owns which package, no cycles, no barrels, no long files.
// The reasons are in DECISIONS.md ("Imports point down").
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Bottom up: each folder of src with the folders that its files may import. 'engine/contract' is the types-only seam. */
const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  onnx: ['base'],
  autodiff: ['base', 'onnx'],
  models: ['base', 'onnx'],
  weights: ['base'],
  diffusion: ['base'],
  training: ['base', 'onnx', 'autodiff', 'models', 'diffusion'],
  runtime: ['base', 'onnx'],
  storage: ['base'],
  'engine/contract': ['base', 'onnx', 'models', 'weights', 'diffusion', 'training'],
  engine: [
    'base',
    'onnx',
    'autodiff',
    'models',
    'weights',
    'diffusion',
    'training',
    'runtime',
    'storage',
    'engine/contract',
  ],
  router: ['base', 'weights'],
  state: ['base', 'storage', 'router', 'engine/contract'],
  ui: ['base', 'state'],
  workers: ['base', 'engine', 'router'],
};
const order = Object.keys(layers);

/** Packages with an owner: the folders that may import them. Tests may import any package. */
const owners: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-web': ['runtime'],
  'idb-keyval': ['storage'],
  '@noble/hashes': ['storage', 'weights', 'router'],
  '@bufbuild/protobuf': ['onnx'],
  '@huggingface/hub': ['storage'],
  '@huggingface/tokenizers': ['models'],
  'eventsource-parser': ['router'],
  '@cfworker/json-schema': ['router'],
  zod: ['base', 'models', 'weights', 'diffusion', 'training', 'storage', 'engine', 'router'],
  comlink: ['base', 'engine', 'engine/contract', 'state', 'workers'],
  zustand: ['state', 'ui'],
  react: ['ui', 'main'],
  'react-dom': ['ui', 'main'],
  'react-aria-components': ['ui', 'main'],
  uplot: ['ui'],
};

/** Files that may be longer than 400 lines, each with its reason. */
const longFiles: Readonly<Record<string, string>> = {};

const forbiddenNames = ['index', 'utils', 'helpers', 'common', 'misc', 'types'];

type Import = { readonly file: string; readonly target: string; readonly isTypeOnly: boolean };

function listFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'));
}

const files = [...listFiles('src'), ...listFiles('workers')];
/** Tests, and the `testing/` folders that only tests may import. */
const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);

/** The layer of a file: 'onnx' for src/onnx/ops/a.ts, 'main' for src/main.tsx, 'workers' for workers/a.ts. */
function layerOf(file: string): string {
  if (file.startsWith('workers/')) return 'workers';
  if (file === 'src/engine/contract.ts') return 'engine/contract';
  const [, first = '', second] = file.split('/');
  return second === undefined ? first.replace(/(\.test)?\.tsx?$/, '') : first;
}

/** The file that a relative specifier means, or undefined where it means a folder or nothing. */
function resolveFile(file: string, specifier: string): string | undefined {
  const path = join(dirname(file), specifier.replace(/\?.*$/, '')).replaceAll('\\', '/');
  return [`${path}.ts`, `${path}.tsx`, path].find(
    (candidate) => /\.[a-z]+$/.test(candidate) && existsSync(join(root, candidate)),
  );
}

/** Every specifier of a file: import, export from, import(…) and import types. */
function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, isTypeOnly: boolean) => {
    if (node !== undefined && ts.isStringLiteralLike(node)) {
      found.push({ file, target: node.text, isTypeOnly });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const imports = files.flatMap(importsOf);
const inside = imports.filter(({ target }) => target.startsWith('.'));
const packages = imports.filter(({ target }) => !target.startsWith('.'));

function mayImport(from: string, to: string, isTypeOnly: boolean): boolean {
  if (from === to || from === 'main') return true;
  if (from === 'engine/contract' && !isTypeOnly) return false; // the page would bundle the engine
  if (from === 'state' && to === 'engine/contract' && !isTypeOnly) return false;
  return layers[from]?.includes(to) ?? false;
}

/** A way around a circle of the graph as 'a → b → a', or undefined. */
function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): string | undefined => {
    const start = path.indexOf(node);
    if (start >= 0) return [...path.slice(start), node].join(' → ');
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const cycle = walk(next, [...path, node]);
      if (cycle !== undefined) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const cycle = walk(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function edgesBetween(nodeOf: (file: string) => string, isEdge: (from: string, to: string) => boolean) {
  const edges = new Map<string, Set<string>>();
  for (const { file, target } of inside) {
    const other = resolveFile(file, target);
    if (other === undefined || isTest(file)) continue;
    const [from, to] = [nodeOf(file), nodeOf(other)];
    if (isEdge(from, to)) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  return edges;
}

describe('architecture', () => {
  it('knows every folder of src', () => {
    expect(
      files.map(layerOf).filter((layer) => !(layer in layers) && !['main', 'architecture'].includes(layer)),
    ).toEqual([]);
  });

  it('imports files, never folders or files that are not there', () => {
    const wrong = inside.filter(({ file, target }) => resolveFile(file, target) === undefined);
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('imports point down', () => {
    const wrong = inside.flatMap(({ file, target, isTypeOnly }) => {
      const other = resolveFile(file, target);
      if (other === undefined) return [];
      const [from, to] = [layerOf(file), layerOf(other)];
      const allowed = isTest(file)
        ? from === 'architecture' || order.indexOf(to) <= order.indexOf(from)
        : mayImport(from, to, isTypeOnly) && !isTest(other);
      return allowed ? [] : [`${file} imports ${isTypeOnly ? 'types of ' : ''}${relative('src', other)}`];
    });
    expect(wrong).toEqual([]);
  });

  it('packages have one owner, and only tests reach for Node', () => {
    const wrong = packages.flatMap(({ file, target }) => {
      if (isTest(file)) return [];
      const name = target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');
      return owners[name]?.includes(layerOf(file)) === true ? [] : [`${file} imports ${target}`];
    });
    expect(wrong).toEqual([]);
  });

  it('has no cycle of files', () => {
    expect(
      findCycle(
        edgesBetween(
          (file) => file,
          () => true,
        ),
      ),
    ).toBeUndefined();
  });

  it('has no cycle of folders, a folder and its own subfolder aside', () => {
    const apart = (from: string, to: string) =>
      !`${from}/`.startsWith(`${to}/`) && !`${to}/`.startsWith(`${from}/`);
    expect(findCycle(edgesBetween(dirname, apart))).toBeUndefined();
  });

  it('names the thing: kebab-case, components in PascalCase, no barrel and no catch-all', () => {
    const wrong = files.filter((file) => {
      const name = basename(file).replace(/(\.test|\.worker)?\.tsx?$/, '');
      const shape =
        file.startsWith('src/ui/') && file.endsWith('.tsx')
          ? /^[A-Z][A-Za-z0-9]*$/
          : /^[a-z0-9]+(-[a-z0-9]+)*$/;
      return !shape.test(name) || forbiddenNames.includes(name);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps files under 400 lines', () => {
    const lines = (file: string) => readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length;
    const long = files.filter((file) => !(file in longFiles)).map((file) => [file, lines(file)] as const);
    expect(long.filter(([, count]) => count > 400)).toEqual([]);
    expect(Object.keys(longFiles).filter((file) => !files.includes(file) || lines(file) <= 400)).toEqual([]);
  });
});
