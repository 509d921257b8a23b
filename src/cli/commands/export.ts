export async function runExport(): Promise<0> {
  return 0;
}
