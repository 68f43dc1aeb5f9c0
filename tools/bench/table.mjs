// The benchmark's answer as a table: times are medians, with the smallest in brackets.
const columns = [
  ['what', (row) => row.what],
  ['result', (row) => row.result],
  ['goal', (row) => row.goal ?? ''],
  ['met', (row) => (row.isMet === undefined ? '' : row.isMet ? 'yes' : 'no')],
  ['measured', (row) => row.measured ?? ''],
];

/** Prints rows { what, result, goal?, isMet?, measured? }. */
export function printTable(rows) {
  const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, text]) => text(row)))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const print = (line) =>
    console.log(
      line
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    );
  print(lines[0]);
  print(widths.map((width) => '─'.repeat(width)));
  for (const line of lines.slice(1)) print(line);
}
