// The dashboard and the rules that are shipped ask for metrics, and labels, that there are.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { HybridScheduler } from 'ringpoll/scheduler';
import { beforeAll, describe, expect, it } from 'vitest';

const file = (name: string) =>
  readFileSync(
    fileURLToPath(new URL(`../../examples/monitoring/${name}`, import.meta.url)),
    'utf8',
  );

/** Of names, the labels that samples have. */
const labels = new Map<string, Set<string>>();
/** What Prometheus adds. */
const ADDED = ['job', 'instance', 'le'];
const FUNCTIONS = [
  ...['sum', 'by', 'rate', 'increase', 'topk', 'histogram_quantile', 'label_values'],
];

function learn(text: string): void {
  for (const line of text.split('\n')) {
    const [, name, inner = ''] = /^([a-z_0-9:]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = labels.get(name) ?? new Set(ADDED);
    for (const [, label] of inner.matchAll(/([a-z_]+)="/g)) known.add(label!);
    labels.set(name, known);
  }
}

async function get(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return response.text();
}

beforeAll(async () => {
  const scheduler = new HybridScheduler();
  const observed = admin({ port: 0, token: false, scheduler });
  const server = serve({
    host: '127.0.0.1',
    port: 0,
    error() {},
    routes: {
      '/': () => 'here',
      '/fails': () => {
        throw Object.assign(new Error(), { code: 'E_FAILS' });
      },
    },
  });
  for (const path of ['/', '/fails']) await get(server.port as number, path);
  learn(await get(observed.port, '/metrics'));
  server.destroy();
  await Promise.all([observed.stop(), scheduler.close()]);
});

/** Complaints about an expression, one for each name or label that nothing has. */
function complaints(expression: string, records: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const bare = expression.replace(/"[^"]*"/g, '""').replace(/\[[^\]]*\]/g, '');
  const names = new Set<string>();
  for (const [, name, inner = ''] of bare.matchAll(/([a-z_][a-z0-9_:]*)(?:\{([^}]*)\})?/g)) {
    if (!/^(?:http|ringpoll|nodejs|process)[_:]/.test(name!)) continue;
    names.add(name!);
    if (records.has(name!)) continue;
    const has = labels.get(name!);
    if (has === undefined) {
      found.push(`no metric ${name}`);
      continue;
    }
    for (const [, label] of inner.matchAll(/([a-z_]+)\s*=/g)) {
      if (!has.has(label!)) found.push(`${name} has no label ${label}`);
    }
  }
  if (names.size === 0) found.push(`nothing is asked for by ${expression}`);
  for (const [, group] of bare.matchAll(/\bby \(([^)]*)\)/g)) {
    for (const label of group!.split(/,\s*/)) {
      const isThere = [...names].some((name) => records.has(name) || labels.get(name)?.has(label));
      if (!isThere) found.push(`nothing in ${expression} has the label ${label}`);
    }
  }
  let depth = 0;
  for (const [sign] of bare.matchAll(/[()]/g)) {
    depth += sign === '(' ? 1 : -1;
    if (depth < 0) break;
  }
  if (depth !== 0) found.push(`the parentheses of ${expression}`);
  for (const [, called] of bare.matchAll(/\b([a-z_]+)\(/g)) {
    if (!FUNCTIONS.includes(called!)) found.push(`no function ${called}`);
  }
  return found;
}

const rules = file('rules.yml');
const expressions = [...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expression]) => expression!);
const records = new Set([...rules.matchAll(/^ +- record: (\S+)$/gm)].map(([, name]) => name!));

interface Dashboard {
  uid: string;
  panels: { id: number; title: string; targets: { expr: string }[] }[];
  templating: { list: { query: string; type: string }[] };
}

describe('the rules of Prometheus', () => {
  it.each(expressions)('ask for what there is: %s', (expression) => {
    expect(complaints(expression, records)).toEqual([]);
  });

  it('have a name, a severity and words each', () => {
    const alerts = rules.split(/^ {6}- /m).filter((part) => part.startsWith('alert: '));
    expect(alerts.length).toBeGreaterThan(8);
    for (const alert of alerts) {
      expect(alert).toMatch(/^alert: Ringpoll\w+\n/);
      expect(alert).toMatch(/severity: (warning|critical)\n/);
      expect(alert).toMatch(/summary: '.+'/);
    }
  });
});

describe('the dashboard of Grafana', () => {
  const dashboard = JSON.parse(file('grafana.json')) as Dashboard;
  const asked = dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }): [string, string] => [title, expr]),
  );

  it.each(asked)('asks for what there is: %s, %s', (_, expression) => {
    expect(complaints(expression.replaceAll('$__rate_interval', '5m'), new Set())).toEqual([]);
  });

  it('has panels of different numbers and titles, and variables that are there', () => {
    const { panels, templating } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const queries = templating.list.filter(({ type }) => type === 'query');
    for (const { query } of queries) expect(complaints(query, new Set())).toEqual([]);
  });
});

describe('the check itself', () => {
  it('complains of a metric, a label and a function that there are not', () => {
    expect(complaints('rate(ringpoll_nothing_total[5m])', new Set())).toEqual([
      'no metric ringpoll_nothing_total',
    ]);
    const wrong = 'sum by (colour) (rate(http_requests_total{path="/"}[5m])';
    expect(complaints(wrong, new Set())).toHaveLength(3);
    expect(complaints('rat(http_requests_total)', new Set())).toEqual(['no function rat']);
  });
});
