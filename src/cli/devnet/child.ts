export async function runDevnetNode(): Promise<0> {
  return 0;
}
