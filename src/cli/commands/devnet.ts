export async function runDevnet(): Promise<0> {
  return 0;
}
