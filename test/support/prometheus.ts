import { createRequire } from "node:module";

interface ParsedFamily {
  name: string;
  help: string;
  type: string;
  metrics: { value?: string; labels?: Record<string, string> }[];
}

const require = createRequire(import.meta.url);
// The package has no types.
const parse = require("parse-prometheus-text-format") as (text: string) => ParsedFamily[];

const hasLabels = (labels: Record<string, string> = {}, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

/** Reads metrics with somebody else's parser. */
export function readMetrics(text: string) {
  // The parser loses the labels of histograms, unless their parts are read as separate metrics.
  const parts = parse(text.replaceAll(/^# TYPE \S+ histogram$/gm, ""));
  const samples = (name: string, labels: Record<string, string> = {}) =>
    parts
      .filter((part) => part.name === name)
      .flatMap(({ metrics }) => metrics)
      .filter((sample) => hasLabels(sample.labels, labels));
  return {
    families: parse(text),
    /** The sum of all samples with these labels; undefined if there are none. */
    value: (name: string, labels?: Record<string, string>): number | undefined => {
      const found = samples(name, labels);
      return found.length === 0 ? undefined : found.reduce((sum, one) => sum + Number(one.value), 0);
    },
    labels: (name: string): Record<string, string>[] => samples(name).map(({ labels }) => labels ?? {}),
  };
}
