import { bootTime } from '@warren/udp';
import { describe, expect, it } from 'vitest';
import { BootClock } from './boot-clock.js';
import { LabelClock } from './label-clock.js';

describe('the clock of the machine', () => {
  it('counts the time that the host was suspended, and never goes back', () => {
    const time = { monotonic: 5_000, boot: 90_000 };
    const clock = new BootClock(
      () => time.monotonic,
      () => time.boot,
    );
    const pass = (awake: number, asleep = 0): number => {
      time.monotonic += awake;
      time.boot += awake + asleep;
      return clock.now();
    };
    expect(clock.now()).toBe(5_000);
    expect(pass(1_000)).toBe(6_000);
    expect(pass(150, 3_600_000)).toBe(3_606_150);
    expect(pass(20, 20)).toBe(3_606_170); // two readings are not at the same moment
    expect(pass(1_000)).toBe(3_607_170);
    expect(pass(30, 60_000)).toBe(3_607_200); // measured a moment ago
    expect(pass(100)).toBe(3_667_320);
  });

  it('reads the time since this host was started', () => {
    const before = bootTime();
    expect(before).toBeGreaterThanOrEqual(performance.now());
    expect(bootTime()).toBeGreaterThanOrEqual(before);
  });
});

describe('the clock of labels', () => {
  it('goes on from what was noted when the wall clock is set back, and follows it forwards', () => {
    const time = { wall: 1_000_000, monotonic: 10 };
    const clock = new LabelClock(
      () => time.wall,
      () => time.monotonic,
    );
    expect(clock.atLeast()).toBe(0);
    clock.note();
    time.monotonic += 500;
    time.wall -= 600_000;
    expect(clock.atLeast()).toBe(1_000_500);
    clock.note();
    time.monotonic += 500;
    expect(clock.atLeast()).toBe(1_001_000);
    time.wall = 5_000_000;
    clock.note();
    expect(clock.atLeast()).toBe(5_000_000);
  });
});
