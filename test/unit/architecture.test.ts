import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { expect, it } from '@jest/globals';

/** Who may import whom, as path prefixes under src/. The first matching row decides. */
const mayImport: readonly [file: RegExp, allowed: readonly RegExp[]][] = [
  [/^main\.ts$/, [/./]],
  [/^config\.ts$/, []],
  [/^(api\/|errors\.ts)/, [/^api\//]],
  [/^runtime\//, [/^api\//, /^errors\.ts/]],
  [/^(kube|telemetry)\//, [/^api\//, /^errors\.ts/, /^runtime\/ports\.ts/]],
  [/^temporal\//, [/^api\//, /^errors\.ts/]],
  // The decisions: no client, no clock, no server may be within their reach.
  [
    /^controllers\/\w+\/(plan|report|verdicts|desired|claims|idle|identity|request)\.ts$/,
    [/^api\//, /^errors\.ts/, /^runtime\/reconcile\.ts/],
  ],
  [
    /^controllers\//,
    [/^api\//, /^errors\.ts/, /^(runtime|kube|temporal)\//, /^controllers\/connection\/directory\.ts/],
  ],
  [/^operator\//, [/^(api|runtime|kube|temporal|telemetry|controllers)\//, /^(errors|config)\.ts/]],
];

const SRC = new URL('../../src/', import.meta.url).pathname;
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

it.each(files)('%s imports only what it may', (file) => {
  const folder = file
    .split('/')
    .slice(0, file.startsWith('controllers/') ? 2 : 1)
    .join('/');
  const allowed = mayImport.find(([pattern]) => pattern.test(file))?.[1] ?? [];
  const imports = [...readFileSync(SRC + file, 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, path]) =>
    normalize(join(file, '..', path!)),
  );
  const forbidden = imports.filter(
    (path) => !path.startsWith(`${folder}/`) && !allowed.some((pattern) => pattern.test(path)),
  );
  expect(forbidden).toEqual([]);
});

it('reads the environment and the command line in one place each', () => {
  const offenders = files.filter((file) => {
    const text = readFileSync(SRC + file, 'utf8');
    return (/process\.env/.test(text) && file !== 'config.ts') || (/process\.argv/.test(text) && file !== 'main.ts');
  });
  expect(offenders).toEqual([]);
});
