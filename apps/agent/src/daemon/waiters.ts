/** Those who wait for something that is looked at again whenever it may have changed. */
export class Waiters {
  #looks: (() => void)[] = [];

  /** Settles with `result()` once `isOver()`, or after the time. */
  wait<T>(isOver: () => boolean, result: () => T, milliseconds: number): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isOver()) return void this.#looks.push(look);
        clearTimeout(timer);
        resolve(result());
      };
      const timer = setTimeout(() => resolve(result()), milliseconds);
      look();
    });
  }

  /** It may have changed. */
  notify(): void {
    const looks = this.#looks;
    this.#looks = [];
    for (const look of looks) look();
  }
}
