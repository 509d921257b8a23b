import { netCompliance } from '../compliance/net.ts';
import { inWorker } from './net-support.ts';

netCompliance('worker', inWorker);
