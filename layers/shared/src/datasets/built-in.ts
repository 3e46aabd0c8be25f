/** The three built-in datasets of ONS, Brazil's grid operator. */
import type { DatasetMapping, FieldMapping } from './mapping';

const REGIONS = ['norte', 'nordeste', 'sudeste', 'sul', 'centro_oeste', 'N', 'NE', 'SE', 'S'];
const SOURCES = [
  ...['hidrica', 'termica', 'eolica', 'solar', 'nuclear', 'biomassa', 'gas_natural', 'carvao', 'oleo'],
  ...['hydro', 'thermal', 'wind', 'biomass', 'other'],
];

/** The measured value, in a field named after its unit, and the columns that describe it. */
const FIELDS: FieldMapping[] = [
  {
    column: 'value',
    type: 'number',
    required: true,
    named: {
      by: 'unit',
      names: {
        MW: 'power_mw',
        MWh: 'energy_mwh',
        kV: 'voltage_kv',
        A: 'current_a',
        Hz: 'frequency_hz',
        '%': 'percentage',
        ratio: 'ratio',
      },
      otherwise: 'value',
    },
  },
  { column: 'unit', type: 'text' },
  { column: 'quality_flag', type: 'text' },
  ...['capacity_mw', 'efficiency', 'voltage_kv', 'current_a', 'frequency_hz'].map(
    (column): FieldMapping => ({ column, type: 'number' }),
  ),
];

export const BUILT_IN_MAPPINGS: readonly DatasetMapping[] = [
  {
    name: 'generation',
    measurement: 'generation_data',
    time: { column: 'timestamp' },
    tags: { required: ['region', 'energy_source', 'measurement_type'], optional: ['plant_name', 'operator'] },
    fields: FIELDS,
    required: ['unit'],
    checks: { known: { region: REGIONS, energy_source: SOURCES }, ranges: {} },
  },
  {
    name: 'consumption',
    measurement: 'consumption_data',
    time: { column: 'timestamp' },
    tags: {
      required: ['region', 'consumer_type', 'measurement_type'],
      optional: ['sector', 'subsector', 'tariff_type'],
    },
    fields: FIELDS,
    required: ['unit'],
    checks: { known: { region: REGIONS }, ranges: {} },
  },
  {
    name: 'transmission',
    measurement: 'transmission_data',
    time: { column: 'timestamp' },
    tags: { required: ['region', 'line_id', 'measurement_type'], optional: ['line_type', 'operator'] },
    fields: FIELDS,
    required: ['unit'],
    checks: { known: { region: REGIONS }, ranges: {} },
  },
];
