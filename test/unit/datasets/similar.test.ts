/** Finds the name that a misspelt name probably means. */
import { similarName } from 'shared/datasets/similar';

test.each([
  ['flagg', ['value', 'flag'], 'flag'],
  ['Conc', ['conc', 'cond'], 'conc'],
  ['plantName', ['plant_name', 'plant'], 'plant_name'],
  ['temprature', ['humidity', 'temperature'], 'temperature'],
  ['siet', ['unit', 'site'], 'site'],
  ['unit', ['value', 'time'], undefined],
  ['id', ['is', 'in'], undefined],
  ['x', [], undefined],
])('%s among %j', (name, candidates, expected) => {
  expect(similarName(name, candidates)).toBe(expected);
});
