import { invalidProblem, protocolProblem, tooBigProblem, type UapiProblem } from './errno.js';

/** Longest line; the longest that the protocol has are 78 characters. */
export const MAX_LINE = 1_024;
/** Most characters of a request: more than half a million AllowedIPs. */
export const MAX_REQUEST = 16 << 20;

/** One complete request, or what is wrong with it. `fatal`: what follows cannot be told from it, so the client goes. */
export type UapiRequest =
  | { readonly operation: 'get' }
  /** `body`: its lines joined by line feeds, without the first and the blank one. */
  | { readonly operation: 'set'; readonly body: string }
  | { readonly operation: 'bad'; readonly problem: UapiProblem; readonly fatal: boolean };

/**
 * Cuts what a client sends into requests: an operation's line, further lines, a blank one. Takes pieces of any length,
 * never throws, and holds at most `MAX_REQUEST` characters.
 */
export class RequestReader {
  /** The line that is not complete yet. */
  #rest = '';
  #operation: 'get' | 'set' | undefined;
  #lines: string[] = [];
  #size = 0;
  #ended = false;

  constructor(private readonly maxRequest: number = MAX_REQUEST) {}

  /** Whether a request has begun that is not complete. */
  get inRequest(): boolean {
    return this.#operation !== undefined || this.#rest !== '';
  }

  /** The requests that `text` completes. After a fatal one: none any more. */
  *push(text: string): Generator<UapiRequest> {
    let begin = 0;
    while (!this.#ended) {
      const end = text.indexOf('\n', begin);
      const piece = text.slice(begin, end < 0 ? undefined : end);
      if (this.#rest.length + piece.length > MAX_LINE) {
        yield this.#end(invalidProblem(`a line of the request is longer than ${MAX_LINE} characters`));
        return;
      }
      this.#rest += piece;
      if (end < 0) return;
      const line = this.#rest;
      this.#rest = '';
      begin = end + 1;
      const request = this.#line(line);
      if (request) yield request;
    }
  }

  #line(line: string): UapiRequest | undefined {
    if (this.#operation === undefined) return this.#begin(line);
    if (line === '') return this.#complete(this.#operation);
    this.#size += line.length + 1;
    if (this.#size > this.maxRequest) {
      return this.#end(tooBigProblem(`the request is longer than ${this.maxRequest} characters`));
    }
    this.#lines.push(line);
    return undefined;
  }

  #begin(line: string): UapiRequest | undefined {
    if (line === 'get=1') this.#operation = 'get';
    else if (line === 'set=1') this.#operation = 'set';
    else return this.#end(protocolProblem('a request begins with "get=1" or "set=1"'));
    return undefined;
  }

  #complete(operation: 'get' | 'set'): UapiRequest {
    const lines = this.#lines;
    this.#lines = [];
    this.#operation = undefined;
    this.#size = 0;
    if (operation === 'set') return { operation, body: lines.join('\n') };
    if (lines.length === 0) return { operation };
    return { operation: 'bad', problem: invalidProblem('"get=1" takes no further lines'), fatal: false };
  }

  #end(problem: UapiProblem): UapiRequest {
    this.#ended = true;
    this.#lines = [];
    this.#rest = '';
    return { operation: 'bad', problem, fatal: true };
  }
}
