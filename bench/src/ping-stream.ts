import type { Host, HostProcess } from '@warren/netlab';

/** `ping -D`: the answer's time in seconds since 1970, taken by ping itself and not when we come to read it. */
const ANSWER = /^\[(\d+\.\d+)\] \d+ bytes from /gm;

/** A ping that goes on and remembers when answers came. */
export class PingStream {
  private readonly process: HostProcess;
  /** Text after the last whole line. */
  private rest = '';
  private first: number | undefined;
  private latest: number | undefined;

  constructor(host: Host, address: string, intervalMs: number) {
    const args = ['-n', '-D', '-i', String(intervalMs / 1_000), address];
    this.process = host.spawn('ping', args, { onOutput: (text) => this.read(text) });
  }

  /** Unix milliseconds. */
  get firstAnswerAt(): number | undefined {
    return this.first;
  }

  /** Unix milliseconds. */
  get lastAnswerAt(): number | undefined {
    return this.latest;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.exit;
  }

  private read(text: string): void {
    const lines = this.rest + text;
    const end = lines.lastIndexOf('\n') + 1;
    this.rest = lines.slice(end);
    for (const [, seconds] of lines.slice(0, end).matchAll(ANSWER)) {
      this.latest = Number(seconds) * 1_000;
      this.first ??= this.latest;
    }
  }
}
