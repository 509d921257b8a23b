export async function runNode(): Promise<0> {
  return 0;
}
