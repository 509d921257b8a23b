/** Loaded in front of a program: when that ends, says on file descriptor 3 what it used. */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { usageOf } from './process-usage.ts';

// Worker threads load it too, and end before the process does.
if (isMainThread) process.on('exit', () => writeSync(3, JSON.stringify(usageOf('self'))));
