/** Prints a picture again and again in the same place on a terminal; elsewhere only when it has changed. */
export class Screen {
  private shown = '';

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(picture: string): void {
    if (picture === this.shown) return;
    // Up over the picture before, and clear from there to the end of the screen (ECMA-48 CPL, ED).
    if (this.out.isTTY && this.shown !== '') this.out.write(`\u001b[${this.height(this.shown)}F\u001b[J`);
    this.out.write(`${picture}\n`);
    this.shown = picture;
  }

  /** A line that stays; the next picture comes below it. */
  line(text: string): void {
    this.out.write(`${text}\n`);
    this.shown = '';
  }

  /** Rows of the terminal that the text takes: a line that is too long goes on in the next row. */
  private height(text: string): number {
    const columns = this.out.columns || 80;
    return text.split('\n').reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / columns)), 0);
  }
}
