import { describe, expect, it } from 'vitest';
import { TrafficHistory } from './traffic-history.js';

const BEGIN = 1_700_000_000_000;
const at = (seconds: number): number => BEGIN + seconds * 1_000;

describe('the history of traffic', () => {
  it('spreads bytes over the time in which they came', () => {
    const history = new TrafficHistory(BEGIN);
    history.add(at(5), at(25), 2_000, 200);
    history.add(at(25), at(40), 0, 0);
    expect(history.points(at(40))).toEqual([
      [at(0), 50, 5],
      [at(10), 100, 10],
      [at(20), 50, 5],
      [at(30), 0, 0],
    ]);
  });

  it('tells of whole intervals only, and of none before it began', () => {
    const history = new TrafficHistory(at(3));
    history.add(at(3), at(18), 1_500, 0);
    expect(history.points(at(18))).toEqual([]);
    history.add(at(18), at(20), 0, 0);
    expect(history.points(at(20))).toEqual([[at(10), 80, 0]]);
  });

  it('keeps half an hour, whatever happens', () => {
    const history = new TrafficHistory(BEGIN);
    for (let minute = 0; minute < 90; minute += 1)
      history.add(at(minute * 60), at(minute * 60 + 60), minute * 600, minute * 60);
    const points = history.points(at(90 * 60));
    expect(points).toHaveLength(180);
    expect([points[0], points.at(-1)]).toEqual([
      [at(60 * 60), 600, 60],
      [at(90 * 60 - 10), 890, 89],
    ]);
    const minutes = history.minutes(at(90 * 60));
    expect(minutes).toHaveLength(30);
    expect([minutes[0], minutes[29]]).toEqual([660 * 60, 660 * 89]);
  });

  it('forgets what came before a long silence', () => {
    const history = new TrafficHistory(BEGIN);
    history.add(at(0), at(60), 6_000, 0);
    expect(history.points(at(3_600))).toEqual([]);
    history.add(at(7_200), at(7_260), 600, 0);
    expect(new Set(history.points(at(7_260)).map(([, rx]) => rx))).toEqual(new Set([0, 10]));
    expect(history.minutes(at(7_260)).at(-1)).toBe(600);
  });

  it('does not fail when the clock is set back or leaps', () => {
    const history = new TrafficHistory(BEGIN);
    history.add(at(0), at(60), 600, 0);
    history.add(at(-5_000), at(-4_990), 10, 0);
    history.add(at(60), at(59), 10, 0);
    history.add(at(60), at(1_000_000), 100, 100);
    expect(history.points(at(1_000_000)).length).toBeLessThanOrEqual(180);
    for (const minute of history.minutes(at(1_000_000))) expect(Number.isFinite(minute)).toBe(true);
  });
});
