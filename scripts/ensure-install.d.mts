export function reasonToInstall(root: string): string | undefined;
export function runtimeVersion(root: string): string | undefined;
export function isNewEnough(version: string): boolean;
