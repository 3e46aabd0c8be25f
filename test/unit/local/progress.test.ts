/** The progress that a load shows. */
import { Progress } from '../../../local/loader/progress';

describe('progress', () => {
  let now = 0;
  let text = '';
  const progressOn = (isTTY: boolean) => {
    now = 0;
    text = '';
    const output = { isTTY, write: (part: string) => (text += part) };
    const progress = new Progress(output, { unit: 'rows', now: () => now });
    progress.addTotal(1_000_000);
    return progress;
  };

  test('is a bar with rows, rate and time left on a terminal', () => {
    const progress = progressOn(true);
    now = 10_000;
    progress.add(250_000);
    expect(text).toBe('\r\u001b[K[========                      ] 25% 250,000 of 1,000,000 rows, 25,000/s 30 s left');
  });

  test('shows no remaining time before the rate is steady', () => {
    const progress = progressOn(true);
    now = 2_999;
    progress.add(500_000);
    now = 4_000;
    progress.add(1);
    expect(
      text
        .split('\r')
        .slice(1)
        .map((line) => / left$/.test(line)),
    ).toEqual([false, true]);
    const slow = progressOn(true);
    now = 10_000;
    slow.add(1);
    expect(text).not.toContain('left');
  });

  test('is redrawn at most five times per second', () => {
    const progress = progressOn(true);
    for (now = 0; now < 1000; now += 10) progress.add(1);
    expect(text.split('\r')).toHaveLength(1 + 5);
  });

  test('without a terminal is a line every few seconds, and one at the end', () => {
    const progress = progressOn(false);
    for (now = 0; now < 12_000; now += 100) progress.add(5000);
    progress.add(400_000);
    progress.end();
    const lines = text.split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[3]).toBe('100% 1,000,000 of 1,000,000 rows, 83,333/s in 12 s');
    expect(text).not.toContain('\r');
  });

  test('shows nothing if the load ended before the number of rows was known', () => {
    let shown = '';
    new Progress({ write: (part: string) => (shown += part) }, { unit: 'rows' }).end();
    expect(shown).toBe('');
  });

  test('shows messages on lines of their own', () => {
    progressOn(true).note('a write will be retried');
    expect(text).toBe('\r\u001b[Ka write will be retried\n');
  });
});
