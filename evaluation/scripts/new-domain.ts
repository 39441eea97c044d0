// Prints how learning from labels of a new domain, as `abi-workflows train` does, affects that
// domain and others:
//   node evaluation/scripts/new-domain.ts <folder> [labels]
// Each set of the folder that has all three sentiments is the new domain once, with weights trained
// without it; so is our made-up yarn shop, with the shipped weights. The script learns from
// some texts of the new domain (default: 300), and judges the rest. It judges the other sets as
// well, each with weights trained without it and without the new domain.
import { readFileSync } from "node:fs";
import { SentimentModel, type SentimentWeights } from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";
import { DEFAULT_THANK_ABOVE } from "../../src/workflows/customer-feedback/policy.ts";
import { readLabelledSets } from "../labelled-sets.ts";
import { mean } from "../scores.ts";
import { answersOf, fitAdjustment } from "../training/adjustment.ts";
import { labelledTexts, type LabelledText } from "../training/examples.ts";
import { trainWeights } from "../training/fit.ts";
import { randomNumbers, shuffled } from "../training/logistic-regression.ts";
import { figures, type SentimentFigures } from "../training/train-own.ts";
import { yarnShop } from "./yarn-shop.ts";

const SEEDS = [1, 2, 3];
const YARN_TEXTS = 900;

const [folder, labels = "300", ...rest] = process.argv.slice(2);
if (folder === undefined || folder.startsWith("-") || rest.length > 0 || !/^\d+$/.test(labels)) {
  console.error("usage: node evaluation/scripts/new-domain.ts <folder> [labels]");
  process.exit(2);
}
const shipped = JSON.parse(
  readFileSync(new URL("../../src/analysis/embedded/sentiment-model/weights.json", import.meta.url), "utf8"),
) as SentimentWeights;
const known = (await readLabelledSets(folder)).sentiment;
const sets = [...known, { name: "yarn shop (ours)", rows: yarnShop(YARN_TEXTS) }];
const texts = labelledTexts(sets);

const trained = new Map<string, SentimentWeights>();

/** Weights trained on the folder's sets except these; the shipped ones if none is left out. */
function without(...sources: number[]): SentimentWeights {
  const leftOut = sources.filter((source) => source < known.length).toSorted((one, other) => one - other);
  const key = leftOut.join(" ");
  const weights =
    leftOut.length === 0
      ? shipped
      : (trained.get(key) ?? {
          ...shipped,
          ...trainWeights(texts.filter(({ source }) => source < known.length && !leftOut.includes(source))),
        });
  trained.set(key, weights);
  return weights;
}

type Figures = Pick<SentimentFigures, "macroF1" | "unhappyThanked">;

const figuresOf = (model: SentimentModel, judged: readonly LabelledText[]): Figures =>
  figures(answersOf(model, judged), DEFAULT_THANK_ABOVE);

function drawn(own: readonly LabelledText[], seed: number): [labelled: LabelledText[], rest: LabelledText[]] {
  const random = randomNumbers(seed);
  const order = shuffled(own, random);
  return [order.slice(0, Number(labels)), order.slice(Number(labels))];
}

const compared = (weights: SentimentWeights, own: readonly LabelledText[], judged: readonly LabelledText[]) => ({
  before: figuresOf(new SentimentModel(weights), judged),
  after: figuresOf(new SentimentModel(weights, fitAdjustment(own, weights).adjustment), judged),
});

const change = (pairs: readonly { before: Figures; after: Figures }[], figure: keyof Figures): number[] =>
  pairs.map(({ before, after }) => after[figure] - before[figure]);

const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(3)}`;

console.log(
  `${labels} labels of a new domain, mean of ${SEEDS.length} draws (for other sets, only the first): macro-F1, and unhappy customers thanked at ${DEFAULT_THANK_ABOVE}\n`,
);
console.log(
  "  new domain            its other texts       thanked               other sets: mean, worst   thanked: mean, worst",
);
sets.forEach(({ name }, source) => {
  const own = texts.filter((text) => text.source === source);
  const labelsOf = new Set(own.map(({ sentiment }) => sentiment));
  if (labelsOf.size < SENTIMENTS.length) return;
  const draws = SEEDS.map((seed) => drawn(own, seed));
  const itself = draws.map(([labelled, rest]) => compared(without(source), labelled, rest));
  const [[labelled]] = draws as [[LabelledText[], LabelledText[]]];
  const others = known.flatMap((_, other) =>
    other === source
      ? []
      : [
          compared(
            without(source, other),
            labelled,
            texts.filter((text) => text.source === other),
          ),
        ],
  );
  const show = (figure: keyof Figures): string =>
    `${mean(itself.map(({ before }) => before[figure])).toFixed(3)} → ${mean(itself.map(({ after }) => after[figure])).toFixed(3)}`;
  const [f1, thanked] = [change(others, "macroF1"), change(others, "unhappyThanked")];
  console.log(
    `  ${name.padEnd(20)}  ${show("macroF1").padEnd(20)}  ${show("unhappyThanked").padEnd(20)}  ${signed(mean(f1))}, ${signed(Math.min(...f1))}` +
      `            ${signed(mean(thanked))}, ${signed(Math.max(...thanked))}`,
  );
});
