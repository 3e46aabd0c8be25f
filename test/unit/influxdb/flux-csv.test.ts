/** The CSV of Flux queries. The texts are responses of InfluxDB 2.7. */
import { fluxRows } from 'shared/influxdb/flux-csv';

test('reads the rows of several tables with different columns', () => {
  const csv =
    ',result,table,_field,_value\r\n,_result,0,a,3\r\n,_result,1,b,4\r\n\r\n,result,table,_time\r\n,_result,0,2024-01-01T00:00:00Z\r\n\r\n';
  expect(fluxRows(csv)).toEqual([
    { '': '', result: '_result', table: '0', _field: 'a', _value: '3' },
    { '': '', result: '_result', table: '1', _field: 'b', _value: '4' },
    { '': '', result: '_result', table: '0', _time: '2024-01-01T00:00:00Z' },
  ]);
});

test('reads quoted cells with commas, quotes and line breaks', () => {
  const csv = ',result,_field,_value\r\n,_result,"a,""b""\r\nc",1\r\n,_result,"",2\r\n\r\n';
  expect(fluxRows(csv).map(({ _field }) => _field)).toEqual(['a,"b"\r\nc', '']);
});

test('an empty last cell and an empty response', () => {
  expect(fluxRows(',result,a\r\n,_result,\r\n')).toEqual([{ '': '', result: '_result', a: '' }]);
  expect(fluxRows('\r\n')).toEqual([]);
  expect(fluxRows('')).toEqual([]);
});
