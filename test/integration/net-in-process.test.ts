import { netCompliance } from '../compliance/net.ts';
import { operatorCompliance } from '../compliance/net-operator.ts';
import { inProcess } from './net-support.ts';

netCompliance('in process', inProcess);
operatorCompliance('in process', inProcess);
