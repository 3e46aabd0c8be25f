/** Shows what becomes of lines without storing them: decodes, maps and encodes them with the code of a write. */
import type { ConnectorConfig } from 'shared/config';
import type { DestinationName } from 'shared/destination-config';
import { batchLines } from 'shared/influxdb/request-lines';
import type { Precision } from 'shared/line-protocol/precision';
import { type LinePlace, LineReport } from 'shared/line-report';
import { ByteWriter } from 'shared/timestream/byte-writer';
import { CallEncoder, packRecords } from 'shared/timestream/packing';
import type { RecordSet } from 'shared/timestream/record-set';
import { mapLines } from 'shared/timestream/records';
import { JSON_BYTES_OF_BODY } from '../../functions/write-line-protocol/timestream-destination';
import type { TriedLine } from './tried-line';

const RECORD_BYTES = 64 * 1024;

type TryConfig = Pick<ConnectorConfig, 'mapping' | 'bounds' | 'tables' | 'influxdb' | 'destination' | 'influxdbOnly'>;

/**
 * @param time the time of lines without a timestamp, and the version of the records, ms since 1970
 * @throws RequestTooLargeError if the lines exceed a limit for a request
 */
export function tryLines(text: string, precision: Precision, time: number, config: TryConfig): TriedLine[] {
  const attempt = new Attempt(Buffer.from(text), precision, time, config);
  if (config.destination !== 'influxdb') attempt.mapToRecords();
  if (config.destination !== 'timestream') attempt.sendAsTheyAre();
  return attempt.lines();
}

const BY_TIMESTREAM = 'retention and the types of existing columns, which only Timestream knows';
const BY_INFLUXDB =
  'InfluxDB may still refuse a line, for example because of its retention, the type of an existing field, or a tag key ' +
  'such as time, _measurement or _field';

/** The checks of a destination that trying lines leaves out, as a sentence. */
export const UNCHECKED: Readonly<Record<ConnectorConfig['destination'], string>> = {
  timestream: `Not checked: ${BY_TIMESTREAM}.`,
  both: `Not checked: ${BY_TIMESTREAM}. ${BY_INFLUXDB}.`,
  influxdb: `${BY_INFLUXDB}.`,
};

class Attempt {
  private readonly found = new Map<number, TriedLine>();
  private readonly leftOut = new Set<number>();

  constructor(
    private readonly body: Buffer,
    private readonly precision: Precision,
    private readonly time: number,
    private readonly config: TryConfig,
  ) {}

  lines(): TriedLine[] {
    return [...this.found.values()].sort((a, b) => a.line - b.line);
  }

  /** What Timestream gets. */
  mapToRecords(): void {
    const { body, config, precision, time } = this;
    const { maxLineBytes, maxTagsAndFields, maxDecompressedBytes } = config.bounds;
    const limits = { maxLineBytes, maxTagsAndFields, maxJsonBytes: JSON_BYTES_OF_BODY * maxDecompressedBytes };
    const report = this.report('timestream');
    const records = mapLines(body, { ...config.mapping, ...limits, precision, requestTime: time }, report);
    try {
      const { batches, mergedRecords } = packRecords(records, report);
      const encoder = new RecordEncoder(records, config.tables.database, time);
      for (const { table, records: packed } of batches) {
        for (const record of packed) {
          const shown = { outcome: 'stored', table: table.name, record: encoder.encode(table, record) } as const;
          for (const each of mergedRecords.get(record) ?? [record]) this.add(records.place(each), shown);
        }
      }
    } finally {
      records.release();
    }
  }

  /** What InfluxDB gets: the lines that Timestream does not refuse, as they are. */
  sendAsTheyAre(): void {
    const { body, config, leftOut, precision, time } = this;
    const limits = {
      maxLineBytes: config.bounds.maxLineBytes,
      batchLines: body.length + 1,
      batchBytes: body.length + 1,
    };
    const options = { precision, requestTime: time, ...limits, leftOut };
    for (const { places } of batchLines(body, options, this.report('influxdb'))) {
      for (const place of places) if (!this.found.has(place.line)) this.add(place, { outcome: 'stored' });
    }
  }

  /** The report of a destination, set up as for a write. */
  private report(name: DestinationName): LineReport {
    const { destination, influxdbOnly } = this.config;
    const both = { prefix: `${name}: `, ...(name === 'timestream' && { elsewhere: influxdbOnly }) };
    const isSecond = destination === 'both' && name === 'influxdb';
    return new LineReport({
      ...(destination === 'both' && both),
      countsFaulty: !isSecond,
      onLine: ({ kind, reason, ...place }) => {
        if (kind !== 'elsewhere') this.leftOut.add(place.start);
        this.add(
          place,
          kind === 'elsewhere' ? { outcome: 'stored', influxdbOnly: true, reason } : { outcome: kind, reason },
        );
      },
    });
  }

  private add({ line, start, end }: LinePlace, what: Omit<TriedLine, 'line' | 'text'>): void {
    const text = this.body.toString('utf8', start, end).replace(/\r?\n$/, '');
    this.found.set(line, { line, text, ...what });
  }
}

/** Encodes single records as a call does, with all attributes of the record in one object. */
class RecordEncoder {
  private readonly encoder: CallEncoder;

  constructor(
    records: RecordSet,
    database: string,
    private readonly version: number,
  ) {
    this.encoder = new CallEncoder(records, database);
  }

  encode(table: { readonly name: string }, record: number): object {
    const body = ByteWriter.borrow(RECORD_BYTES);
    try {
      const call = JSON.parse(
        this.encoder.encode({ table, records: Int32Array.of(record) }, this.version, body).toString(),
      ) as { CommonAttributes: object; Records: [object] };
      return { ...call.CommonAttributes, ...call.Records[0] };
    } finally {
      body.release();
    }
  }
}
