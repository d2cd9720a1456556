/* The dashboard as Grafana reads it. */
import { DASHBOARD_ROWS, type Panel } from './panels.js';

const WIDTH = 12;
const HEIGHT = 8;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The JSON model of the one dashboard. Its `uid` never changes, so that links stay. */
export function dashboard(): object {
  return {
    uid: 'sallyport',
    title: 'Sallyport',
    tags: ['sallyport'],
    schemaVersion: 39,
    editable: false,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'utc',
    templating: { list: variables() },
    annotations: { list: [alerts()] },
    panels: placed(),
  };
}

function variables(): readonly object[] {
  const query = (name: string, of: string, label: string) => ({
    ...{ name, type: 'query', datasource: DATASOURCE, refresh: 2, sort: 1 },
    ...{ multi: true, includeAll: true, allValue: '.+' },
    query: { query: `label_values(${of}, ${label})`, refId: name },
    definition: `label_values(${of}, ${label})`,
  });
  return [
    { name: 'datasource', type: 'datasource', query: 'prometheus' },
    query('namespace', 'sallyport_build_info', 'namespace'),
    query('job', 'sallyport_build_info{namespace=~"$namespace"}', 'job'),
  ];
}

/** When which alert fired, across all graphs. */
function alerts(): object {
  return {
    name: 'Alerts',
    datasource: DATASOURCE,
    enable: true,
    expr: 'ALERTS{alertname=~"Sallyport.+",alertname!="SallyportWatchdog",alertstate="firing",namespace=~"$namespace"}',
    titleFormat: '{{alertname}}',
    textFormat: '{{job}}',
    iconColor: 'red',
  };
}

/** Two graphs beside each other, under the heading of their row. */
function placed(): readonly object[] {
  let y = 0;
  let id = 0;
  return DASHBOARD_ROWS.flatMap(({ title, panels }) => {
    const top = y + 1;
    const heading = { id: ++id, type: 'row', title, collapsed: false, panels: [] };
    const graphs = panels.map((panel, at) => ({
      id: ++id,
      ...graph(panel),
      gridPos: {
        ...{ h: HEIGHT, w: WIDTH },
        ...{ x: (at % 2) * WIDTH, y: top + Math.floor(at / 2) * HEIGHT },
      },
    }));
    const row = { ...heading, gridPos: { h: 1, w: 2 * WIDTH, x: 0, y } };
    y = top + Math.ceil(panels.length / 2) * HEIGHT;
    return [row, ...graphs];
  });
}

function graph({ title, description, unit, lines, limits }: Panel): object {
  const targets = Object.entries(lines).map(([legendFormat, expr], at) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + at),
    ...{ datasource: DATASOURCE, expr, legendFormat },
  }));
  const custom = { thresholdsStyle: { mode: limits === undefined ? 'off' : 'line' } };
  const defaults = { unit, min: 0, custom, thresholds: steps(limits) };
  return {
    ...{ type: 'timeseries', title, description, datasource: DATASOURCE, targets },
    fieldConfig: { defaults, overrides: [] },
  };
}

/** Grafana wants them to rise, each with the colour from there on. */
function steps(limits: Panel['limits']): object {
  const at = (color: string, value: number | null) => ({ color, value });
  if (limits === undefined) return { mode: 'absolute', steps: [at('green', null)] };
  const { warning, critical, below = false } = limits;
  const ofCritical = (make: (value: number) => object) =>
    critical === undefined ? [] : [make(critical)];
  return {
    mode: 'absolute',
    steps: below
      ? [
          at(critical === undefined ? 'orange' : 'red', null),
          ...ofCritical((value) => at('orange', value)),
          at('green', warning),
        ]
      : [at('green', null), at('orange', warning), ...ofCritical((value) => at('red', value))],
  };
}
