// How high the chunks of a long list are, as measured. As plain data it can be kept with a page's place in the history.

export interface HeightData {
  /** Width at which all of it was measured, in px. */
  width: number;
  /** Height of a line, on average, in px. */
  line: number;
  chunks: (number | null)[];
}

export class Heights {
  #width: number | undefined;
  #line: number | undefined;
  #chunks: (number | null)[] = [];

  constructor(data?: HeightData) {
    if (!data) return;
    this.#width = data.width;
    this.#line = data.line;
    this.#chunks = [...data.chunks];
  }

  /** Height of a line, once one was measured. It does not follow each measurement: what was guessed by it would move. */
  get line(): number | undefined {
    return this.#line;
  }

  of(chunk: number, otherwise: number): number {
    return this.#chunks[chunk] ?? otherwise;
  }

  /** At another width everything is of another height. */
  set(chunk: number, height: number, lines: number, width: number): void {
    if (this.#width === undefined || Math.abs(this.#width - width) > 1) {
      this.#width = width;
      this.#line = height / lines;
      this.#chunks = [];
    }
    this.#chunks[chunk] = height;
  }

  data(): HeightData | undefined {
    if (this.#width === undefined || this.#line === undefined) return undefined;
    return { width: this.#width, line: this.#line, chunks: Array.from(this.#chunks, (height) => height ?? null) };
  }
}
