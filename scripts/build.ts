// Builds dist/: the bundle, split so that small commands load little, and the type declarations.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { thirdPartyLicenses } from './third-party-licenses.ts';

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { jobpass: 'src/app/cli/main.ts', index: 'src/index.ts', policy: 'src/policy/index.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  chunkNames: 'chunks/[name]-[hash]',
  // Fastify and pino are CommonJS and call require at run time; an ESM bundle has none of its own.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  legalComments: 'none',
  // Sources stay in memory as long as the server runs.
  minify: true,
  metafile: true,
  logLevel: 'warning',
});
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', `${thirdPartyLicenses(Object.keys(metafile.inputs))}\n`);
chmodSync('dist/jobpass.js', 0o755);
execFileSync('tsc', ['--project', 'tsconfig.declarations.json'], { stdio: 'inherit' });
