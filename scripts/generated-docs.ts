// Pages that are made from the code, so that they cannot fall behind it.

import { jsonSchemaText } from '../src/app/config/json-schema.ts';
import { METRICS } from '../src/app/metrics/catalogue.ts';
import type { LabelValues, MetricDefinition } from '../src/app/metrics/registry.ts';
import { isJsonObject, type JsonObject } from '../src/base/core/json.ts';
import { REASONS, type Reason, safeReason } from '../src/base/core/reasons.ts';

/** Every generated page with its text. */
export function generatedDocs(): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/config.md', text: configPage() },
    { path: 'docs/metrics.md', text: metricsPage() },
    { path: 'schema/jobpass.schema.json', text: jsonSchemaText() },
  ];
}

function errorsPage(): string {
  const rows = (Object.keys(REASONS) as Reason[]).map(
    (reason) => `| \`${reason}\` | \`${safeReason(reason)}\` | ${REASONS[reason][1]} |`,
  );
  return `# Reasons of refusals

<!-- Made by \`npm run docs\`; do not edit. -->

Every refusal has one of these reasons. The caller learns the *safe reason* and a decision id: an unknown role, another tenant's role
and a failed condition look the same. It learns more only of its own malformed request: for \`request_invalid\` the message on a JSON
route says what is wrong with it. The operator reads the rest under the id: for an exchange at the STS with
\`jobpass decisions show ID\`; for the issuer, a gateway and every other route of the STS in that server's log.

| reason (operator) | safe reason (caller) | meaning |
|---|---|---|
${rows.join('\n')}

## Exit codes of the command line

| code | meaning |
|---|---|
| 0 | ok |
| 1 | failed |
| 2 | usage: the command, a file or a configuration is wrong; nothing was started |
| 3 | denied |
| 4 | unavailable: the other side did not answer, or an address is taken |
`;
}

/** Longer lists of values are told by their number. */
const MAX_TOLD_VALUES = 8;

function metricsPage(): string {
  const rows = Object.values(METRICS).map(
    ({ help, kind, labels, name }: MetricDefinition) => `| \`${name}\` | ${kind} | ${labelCells(labels)} | ${help} |`,
  );
  return `# Metrics

<!-- Made by \`npm run docs\`; do not edit. -->

Issuer and STS answer \`/metrics\` on their own listeners, in Prometheus' text format. With \`observability.listen\`, a listener for health and
metrics of all servers of a program, they are there and nowhere else; gateways have no other: their own listeners serve the resource. Only this machine may read
them, and who stands in \`observability.metrics_from\`; others are told that there is nothing. What a proxy forwards counts as its
caller's only where \`limits.trusted_proxies\` names the proxy, else it is refused. Replicas count each for themselves.

No label can be made to grow: each has the values listed here, or as many as said; whatever comes beyond them is \`other\`.

| metric | | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

A dashboard for Grafana and alert rules for Prometheus are in \`deploy/grafana\` and \`deploy/prometheus\`: refusals that rise, feeds and key
sets that age, keys to be rotated, a clock that was set, claims of an issuer that are missing or new, a store that is slow or away.
`;
}

function labelCells(labels: Readonly<Record<string, LabelValues>>): string {
  const told = (values: LabelValues): string => {
    if ('atMost' in values) return `at most ${values.atMost}`;
    return values.length > MAX_TOLD_VALUES ? `${values.length} values` : values.join(', ');
  };
  return Object.entries(labels)
    .map(([name, values]) => `\`${name}\` (${told(values)})`)
    .join('; ');
}

function configPage(): string {
  const schema: unknown = JSON.parse(jsonSchemaText());
  const rows = isJsonObject(schema) ? keyRows(schema, '') : [];
  return `# jobpass.yaml

<!-- Made by \`npm run docs\`; do not edit. -->

Unknown keys are refused, and all problems are shown at once. Durations are written \`45s\`, \`30m\`, \`2h\`, \`7d\`. Secrets are never written
into the file: \`file:PATH\`, \`env:NAME\` or \`credential:NAME\` (systemd) say where they are. Relative paths start at the file's own folder.
Editors read \`schema/jobpass.schema.json\`; \`jobpass init\` writes the header that points at it.

| key | | meaning |
|---|---|---|
${rows.join('\n')}
`;
}

function keyRows(schema: JsonObject, prefix: string): string[] {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).flatMap(([name, member]) => {
    if (!isJsonObject(member)) return [];
    const key = prefix === '' ? name : `${prefix}.${name}`;
    const description = typeof member.description === 'string' ? member.description : '';
    const row = `| \`${key}\` | ${required.includes(name) ? 'required' : ''} | ${[description, choices(member)].filter((part) => part !== '').join(' ')} |`;
    return [row, ...nestedRows(member, key)];
  });
}

function nestedRows(member: JsonObject, key: string): string[] {
  if (member.type === 'array' && isJsonObject(member.items)) return keyRows(member.items, `${key}[]`);
  if (member.type === 'object' && isJsonObject(member.additionalProperties))
    return keyRows(member.additionalProperties, `${key}.NAME`);
  return member.type === 'object' ? keyRows(member, key) : [];
}

const choices = (member: JsonObject): string =>
  Array.isArray(member.enum) ? `One of ${member.enum.map((value) => `\`${String(value)}\``).join(', ')}.` : '';
