/** An error of the configuration with its position, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Splits the error that the gateway reports into its position and its message; `undefined` if it has no position. */
export function placeOf(error: string): Place | undefined {
  const match = /^line (\d+), column (\d+): (.*)$/s.exec(error);
  return match ? { line: Number(match[1]), column: Number(match[2]), message: match[3] ?? "" } : undefined;
}

/** Returns where a line of a text begins and ends, without its line break. */
export function lineRange(text: string, line: number): [number, number] {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1);
  const start = Math.min(before.reduce((sum, one) => sum + one.length + 1, 0), text.length);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}
