/** The columns of numbers that hold the measures of a request. */
import { LineDecoder, TOKEN } from 'shared/line-protocol/decoder';
import { ByteWriter } from 'shared/timestream/byte-writer';
import { MeasureColumn } from 'shared/timestream/measure-json';
import { MeasureList } from 'shared/timestream/measure-list';

test('a request can have as many measures as max_tags_and_fields allows at most', () => {
  const source = Buffer.from('m,t=a v=1.5 1\n');
  const decoder = new LineDecoder(source);
  decoder.nextLine();
  decoder.readMeasurement();
  while (decoder.readTag() === TOKEN);
  decoder.readField();
  const columns: MeasureColumn[] = [];
  const last = new MeasureColumn(10_000_000, 'v');
  columns[last.id] = last;
  const measures = new MeasureList(source, columns);
  measures.add(last, decoder);
  const body = new ByteWriter(Buffer.allocUnsafeSlow(64));
  measures.write(body, 0, 1);
  expect(measures.columnOf(0)).toBe(last);
  expect(String(body.written)).toBe('{"Name":"v","Value":"1.5","Type":"DOUBLE"}');
});
