export async function runInfo(): Promise<0> {
  return 0;
}
