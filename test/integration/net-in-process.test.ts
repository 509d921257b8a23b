import { netCompliance } from '../compliance/net.ts';
import { inProcess } from './net-support.ts';

netCompliance('in process', inProcess);
