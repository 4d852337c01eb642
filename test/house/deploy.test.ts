// What is under deploy/: it parses, and it speaks of metrics and labels that there are.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../src/app/metrics/catalogue.ts';
import type { MetricDefinition } from '../../src/app/metrics/registry.ts';
import { REASONS } from '../../src/base/core/reasons.ts';
import { requireClient } from '../clients.ts';

const DASHBOARD = 'deploy/grafana/jobpass-dashboard.json';
const ALERTS = 'deploy/prometheus/jobpass-alerts.yaml';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const rules: readonly Rule[] = parse(readFileSync(ALERTS, 'utf8')).groups.flatMap(
  ({ rules: own }: { rules: Rule[] }) => own,
);
const panels: readonly Panel[] = JSON.parse(readFileSync(DASHBOARD, 'utf8')).panels;

/** Prometheus itself adds these. */
const OWN_LABELS = ['instance', 'job', 'le'];
const definitions = new Map(Object.values(METRICS).map((one: MetricDefinition) => [one.name, one]));

/** The metrics of an expression, without the suffixes of histograms. */
const metricsIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:jobpass|process)_[a-z_]+/g)].map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ''));

/** The labels that an expression selects or groups by, or a text shows. */
const labelsIn = (text: string): string[] => [
  ...[...text.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(',').map((name) => name.trim())),
  ...[...text.matchAll(/[{,]\s*([a-z_]+)(?:=|!=|=~)"/g)].map(([, name = '']) => name),
  ...[...text.matchAll(/\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}/g)].map(([, name = '']) => name),
];

describe.each([
  ...rules.map(
    ({ alert, annotations, expr }) => [`alert ${alert}`, expr, Object.values(annotations).join(' ')] as const,
  ),
  ...panels.flatMap(({ targets, title }) =>
    targets.map(({ expr, legendFormat }) => [`panel ${title}`, expr, legendFormat] as const),
  ),
])('%s', (_what, expr, told) => {
  test('asks for metrics and labels that there are', () => {
    const metrics = metricsIn(expr);
    expect(metrics.filter((name) => !definitions.has(name))).toEqual([]);
    expect(metrics.length).toBeGreaterThan(0);
    const labels = metrics.flatMap((name) => Object.keys(definitions.get(name)?.labels ?? {}));
    expect([...labelsIn(expr), ...labelsIn(told)].filter((name) => ![...labels, ...OWN_LABELS].includes(name))).toEqual(
      [],
    );
  });

  test('asks for values that there are', () => {
    const reasons = [...expr.matchAll(/reason!?="([a-z_]+)"/g)].map(([, reason]) => reason ?? '');
    expect(reasons.filter((reason) => !Object.hasOwn(REASONS, reason))).toEqual([]);
  });
});

test('each alert says how bad it is, what it is, and what to look at', () => {
  expect(rules.length).toBeGreaterThan(10);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { annotations, labels } of rules) {
    expect(['page', 'ticket', 'info']).toContain(labels.severity);
    expect(annotations.summary).toBeTruthy();
    expect(annotations.description).toBeTruthy();
  }
});

test('Prometheus itself reads the alert rules', ({ skip }) => {
  const promtool = requireClient('promtool');
  if (promtool === undefined) return skip('promtool is not installed');
  const checked = spawnSync(promtool, ['check', 'rules', ALERTS], { encoding: 'utf8' });
  expect([checked.status, checked.stdout]).toEqual([
    0,
    expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
  ]);
});
