/** Prints a picture again and again in the same place on a terminal; elsewhere only when it has changed. */
export class Screen {
  private shown = '';

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(picture: string): void {
    if (picture === this.shown) return;
    // Up over the picture before, and clear from there to the end of the screen (ECMA-48 CPL, ED).
    if (this.out.isTTY && this.shown !== '') this.out.write(`\u001b[${this.shown.split('\n').length}F\u001b[J`);
    this.out.write(`${picture}\n`);
    this.shown = picture;
  }

  /** A line that stays; the next picture comes below it. */
  line(text: string): void {
    this.out.write(`${text}\n`);
    this.shown = '';
  }
}
