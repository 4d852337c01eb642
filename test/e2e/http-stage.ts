// The demo's stage with another resource: its gateway guards the example artifact store over HTTP, and its role permits that.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../../src/app/cli/demo/stage.ts';

/** Rewrites gateway and roles of `stage`, whose servers are not started yet; the gateway guards `upstream`. */
export function guardOverHttp(stage: Stage, upstream: string): void {
  rewrite(stage.configs.gateway, [[/^ {4}s3: .*$/m, `    upstream: ${upstream}`]]);
  const policies = join(stage.folder, 'sts/policies/main');
  rmSync(join(policies, 'preview-web.yaml'));
  rewrite(join(policies, 'publish-web.yaml'), [
    [/^ {4}actions: .*$/m, '    actions: ["http:PUT", "http:GET", "http:HEAD"]'],
    [/^ {4}resources: .*$/m, '    resources: ["arn:jobpass:http:::artifacts/web/*"]'],
    [/^aws: .*$/m, ''],
  ]);
}

function rewrite(file: string, changes: readonly (readonly [RegExp, string])[]): void {
  let text = readFileSync(file, 'utf8');
  for (const [pattern, replacement] of changes) {
    if (!pattern.test(text)) throw new Error(`${file} has nothing like ${pattern}`);
    text = text.replace(pattern, replacement);
  }
  writeFileSync(file, text);
}
