export async function runImport(): Promise<0> {
  return 0;
}
