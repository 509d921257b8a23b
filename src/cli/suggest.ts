/** "Did you mean …?" for words that people mistype. */

/** ` (did you mean "…"?)` for the word nearest to `word`, or nothing when none is near. */
export function closest(word: string, known: readonly string[]): string {
  const lower = word.slice(0, 60).toLowerCase();
  const scored = known.map((name) => ({ name, distance: editDistance(lower, name.toLowerCase()) }));
  scored.sort((a, b) => a.distance - b.distance);
  const [best] = scored;
  if (best === undefined || best.distance > Math.max(1, Math.floor(best.name.length * 0.4))) return '';
  return ` (did you mean "${best.name}"?)`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
